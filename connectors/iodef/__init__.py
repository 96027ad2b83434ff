"""IODEF v2 (ITU-T X.1541; RFC 7970 in XML, RFC 8727 in JSON), both ways."""
