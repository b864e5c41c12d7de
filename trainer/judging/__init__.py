"""Judging what models write: a job that writes stories, measures them, and reports; stopped and resumed at will."""
