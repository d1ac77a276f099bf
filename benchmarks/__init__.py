"""Benchmarks, laid out as the packages are: `benchmarks/configs/` measures `understudy.configs`.

    python -m benchmarks --docs                  all of them; `make bench` calls this
    python -m benchmarks configs                 those in one folder
    python -m benchmarks.configs.bench_binding   one

Each `bench_*.py` says in its docstring what it measures and why. It runs in a process of its own
and prints a table for each question: the time of each case, and its ratio to a baseline that was
measured in the same run, case by case in turns. Ratios can be compared between machines, times
cannot. A goal that is missed is printed, and is not an error.

Options, of one and of all:

    --rounds N    how often each case is measured: 9 times or more
    --json FILE   append each table to FILE as a line of JSON
    --quick       few operations, once, to see that it works; the numbers mean nothing

`--docs` writes docs/performance.md and its plots; with `--from FILE` it does so without measuring
again. `never_harm/` takes half an hour, and `runs/` is about another package: they have pages of
their own, and are run when they are named; `python -m benchmarks.runs --peers` measures trackers.

Peers, other libraries that do the same work, are optional: the rows of one that is not installed
are left out, and a line says so. `_peers.py` says how to install them.

To add one, write `bench_<what>.py` with a function that yields `Table`s, and hand it to
`_command.main`.
"""
