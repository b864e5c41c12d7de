"""Versions of a draft, comparing and merging them, and the history of what the model wrote."""
