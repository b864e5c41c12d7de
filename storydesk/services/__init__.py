"""Use cases over the Protocols in ``ports``: no Qt, no files, no network of their own."""
