"""Text rules that both programs share, standard library only: normaliser, prompt template, n-gram statistics."""
