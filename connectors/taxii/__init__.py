"""TAXII 2.1 servers of others, as a source and as a target: see README.md."""
