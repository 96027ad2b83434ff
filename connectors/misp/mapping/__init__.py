"""MISP events to STIX 2.1 and back, on top of misp-stix; no I/O, no clock, the same answer every time."""
