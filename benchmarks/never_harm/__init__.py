"""Whether a shadow can harm its lead: the same misdeeds, by the same harness, in each library.

    make never-harm                     measures, and writes docs/never-harm.md and its plot
    python -m benchmarks never_harm     measures, and prints the table

Read in this order: `_cells.py` (what is measured), `_shadows.py` (the misdeeds), `_load.py` (the
open loop), the three libraries, `_worker.py` (one cell, in a process of its own), `_verdict.py`
(what is harm), and what tells it: `_table.py`, `_plot.py`, `_page.py`.
"""
