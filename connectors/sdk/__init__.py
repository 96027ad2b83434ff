"""What every connector is written with, ours and those of third parties: see docs/connectors.md."""
