"""Events of IntelMQ, by its published data format: see README.md."""
