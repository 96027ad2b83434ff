"""The CYBEX hub: signed STIX 2.1 between national CIRTs over TAXII 2.1.

Imports only run downwards: cli, wsgi, worker > bootstrap > config > web > services > store, client > domain > errors.
"""
