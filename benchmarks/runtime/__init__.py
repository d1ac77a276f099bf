"""Benchmarks of `understudy` itself: calls, and the memory of what plays them."""
