"""The partner's Insight tab: where a draft surprises, what it repeats, how it reads."""
