"""Alerts as syslog messages: see README.md."""
