"""The measuring side is software too: what it feeds, counts and compares."""
