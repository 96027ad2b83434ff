"""IODEF documents to STIX and back, without I/O: the forms, the classes, and what becomes of each."""
