"""The same recording in the hands of each tracker, really installed and really run.

    python -m benchmarks.runs.bench_trackers                  all of them
    python -m benchmarks.runs.bench_trackers --only trackio   one, beside the floors and understudy

Read in this order: `_tracker.py` (what a tracker is asked for), `_by_hand.py` and `_understudy.py`,
the peers (one module each, used as its own documentation says is best), `_trackers.py` (all of
them, and where they are installed), `_works.py` (what is measured), `_worker.py` (one of them, in a
process of its own), `_processes.py` (starts and ends these), `_trials.py` (crashes, and processes
that begin at once), `_rounds.py` (all of it, in turns), and `_report.py`.

`_worker.py` and what it imports run where a peer is installed: they need the standard library only.
"""
