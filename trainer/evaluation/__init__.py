"""How well a model predicts stories that it never learned from."""
