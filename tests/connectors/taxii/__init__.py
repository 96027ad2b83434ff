"""Mirrors connectors/taxii."""
