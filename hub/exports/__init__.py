"""Exports: what other systems are given of what a peer may read, one file per format. Pure, but for shipped data."""
