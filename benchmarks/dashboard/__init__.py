"""Benchmarks of `understudy.dashboard`: reading logs, and what is kept of them."""
