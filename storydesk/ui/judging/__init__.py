"""Judging by people: sheets, rating, choosing, results."""
