"""CSAF 2.0 advisories to STIX, without I/O."""
