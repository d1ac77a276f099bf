"""The same work in the hands of each peer, really installed and really run.

    python -m benchmarks.peers.bench_peers                  all of it
    python -m benchmarks.peers.bench_peers --only pykka     one contender

Read in this order: `_kinds.py` (the kinds of call), `_contender.py` (what a contender is),
`_ways.py` (what they share), `_floors.py` and `_understudy.py`, the peers (one module each, used
as its own documentation says is best), `_contenders.py` (all of them), `_worker.py` (one of them,
in a process of its own), `_measure.py` (starts it, and ends it hard), and `_table.py`.

To add a peer, write a module that has a `Contender` and name it in `_contenders.py`.
"""
