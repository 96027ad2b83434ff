"""Alerts as webhooks: see README.md."""
