"""TAXII servers that are not ours, run as real processes: a reference to compare answers and speed with."""
