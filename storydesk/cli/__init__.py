"""The use cases without a window: one module for each command, stdout for results, stderr for everything else."""
