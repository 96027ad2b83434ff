"""Bounds of an IODEF document, each with its reason."""

from __future__ import annotations

from typing import Final

DOCUMENT_BYTES: Final = 8 * 1024 * 1024
"""Octets of a document: a report with thousands of indicators is below 2 MB; a tree takes about ten times its text."""

DEPTH: Final = 48
"""Levels of elements: the longest chain of the classes without recursion has 12."""

ELEMENTS: Final = 200_000
"""Elements of a document: what 8 MiB of short ones come to, and half a second of reading."""

INCIDENTS: Final = 1_000
"""Incidents in one document."""

NESTED: Final = 12
"""How deep EventData, Contact and IndicatorExpression may stand within themselves."""

PAIRS: Final = 64
"""Source and target systems of one EventData that are joined to network traffic, each with each."""

VALUES: Final = 2_000
"""Values of a BulkObservable that become one pattern: at 30 characters each, the hub takes no longer pattern."""

TEXT: Final = 200_000
"""Characters of a text that is shown to people; longer ones stay in the IODEF extension only."""
