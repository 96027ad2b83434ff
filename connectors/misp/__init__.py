"""MISP: events into the hub and out of it, by its REST API, its feed format, or a file."""
