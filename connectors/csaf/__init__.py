"""CSAF 2.0 security advisories (OASIS), into the hub."""
