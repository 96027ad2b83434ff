"""Connectors: one folder for each system a CIRT already has. A connector has no rights that another member has not."""
