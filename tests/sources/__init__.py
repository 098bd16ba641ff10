"""What every source has to pass: `contract`, by way of a `rig` for each kind."""
