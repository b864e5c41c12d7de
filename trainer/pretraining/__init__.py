"""A GPT-2 from nothing: texts, tokenizer, packed tokens and a plain loop (docs/decisions/0032-pretraining.md)."""
