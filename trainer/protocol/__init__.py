"""What crosses between the trainer and its callers: requests, events, manifests, failures.

Standard library only, and nothing of the trainer: the app reads this room without loading torch.
"""
