"""What a story, a suggestion, a model and a run are: standard library only, no I/O, any thread."""
