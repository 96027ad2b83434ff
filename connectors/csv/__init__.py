"""CSV and plain-text feeds: see README.md. ``import csv`` in here is the standard library's, as everywhere."""
