"""The hub as a stranger meets it: real processes, real clients, real foreign servers."""
