"""A real freqtrade, in an environment of its own, in dry-run against the tests' own exchange.

By hand: `python -m tests.freqtrade spot` (or `futures`) starts both, and says where they are; Ctrl-C ends them.
"""
