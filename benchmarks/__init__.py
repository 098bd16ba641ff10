"""Benchmarks: each prints its figure, the baseline's from the same run, and the budget, as one JSON line."""
