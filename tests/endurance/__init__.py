"""A sidecar that follows 1,000 events a second for minutes, beside the other tests."""
