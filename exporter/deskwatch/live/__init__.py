"""A client of a sidecar, for strategies, notebooks and scripts."""
