"""Programs to read and to run: each is a module, and each is run by the tests."""
