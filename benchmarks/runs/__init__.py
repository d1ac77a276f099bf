"""Benchmarks of `understudy.runs`: what is recorded, read, started and imported.

They have a page of their own: `python -m benchmarks.runs` writes docs/runs-performance.md; with
`--peers` it measures the trackers that people use instead, which are in `trackers/`.
"""
