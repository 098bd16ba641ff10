"""The process that follows journals and serves everything else."""
