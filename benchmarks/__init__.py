"""Side-by-side runs of the hub, medallion and OpenTAXII on the same data in one run: `python -m benchmarks`."""
