"""Benchmarks of `understudy.configs`: binding, parsing, files, and the import itself."""
