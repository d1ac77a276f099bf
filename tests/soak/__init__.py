"""Soak: mixed load for as long as one likes; after each round all must be as it was before.

_readings  what a round left behind, and what of it is wrong
_ledger    the program's own counts
_loads     what is called, and how; a kind of load is one more class here
_trouble   what goes wrong meanwhile, and who switches what
_round     one round: a runtime is entered, loaded, troubled and left
"""
