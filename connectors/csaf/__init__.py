"""CSAF 2.0 security advisories (OASIS) and CVE records, into the hub."""
