"""The optimiser's steps: network, batches, schedule, checkpoints and resume. Only ``tune`` loads torch."""
