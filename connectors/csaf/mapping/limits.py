"""Bounds of an advisory, each with its reason."""

from __future__ import annotations

from typing import Final

DOCUMENT_BYTES: Final = 16 * 1024 * 1024
"""Octets of an advisory: the longest published ones, with thousands of packages, are near 10 MB."""

DEPTH: Final = 48
"""Levels of JSON: the schema of CSAF allows branches of any depth; real trees have 6."""

PRODUCTS: Final = 10_000
"""Products of one advisory that become software objects."""

LINKS: Final = 20_000
"""Relationships between products and vulnerabilities of one advisory; each is an object that is signed."""

NAMES: Final = 20
"""Names of products that are listed in a text."""

TEXT: Final = 100_000
"""Characters of a description; the rest is cut, and the report says so."""

LISTED: Final = 50_000
"""Advisories that a provider may list."""

MEMBERS: Final = 5_000
"""Entries of one list of a CVE record: far more versions of a product than people still run."""

RECORD_OBJECTS: Final = 10_000
"""Objects of one CVE record; each is signed."""
