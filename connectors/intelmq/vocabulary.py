"""The fields of the IntelMQ data format, as its documentation names them, and what becomes of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from hub.domain import rsit, tlp
from hub.domain.observable_text import ObservableType

SYSTEM: Final = "intelmq"
FIELD: Final = re.compile(r"[a-z_][a-z_0-9]+(?:\.[a-z_0-9]+)*+")
"""The form of a key (Data Format, rules for keys)."""

THREATS: Final = frozenset(
    {"c2-server", "malware-distribution", "phishing", "scanner", "brute-force", "exploit", "blacklist", "ids-alert"}
)
"""Types whose source is what attacks (Event, meaning of source and destination identities). The source of
``infected-system``, ``spam``, ``vulnerable-system`` and the rest is somebody's own machine: no indicator is made of
it, since who blocks it harms the victim."""

BEYOND_RSIT: Final = frozenset({"blacklist", "dga-domain", "malware", "proxy", "tor"})
"""Types of the taxonomy ``other`` that the RSIT does not have."""
SPELLED: Final[Mapping[str, str]] = {"unauthorized-use-of-resources": "unauthorised-use-of-resources"}
"""Types that IntelMQ spells in its own way."""
INDICATOR_TYPES: Final[Mapping[str, str]] = {"scanner": "anomalous-activity", "ids-alert": "anomalous-activity"}

LEVELS: Final[Mapping[str, tlp.Level]] = {"WHITE": "clear", "GREEN": "green", "AMBER": "amber", "RED": "red"}
"""The levels of the field ``tlp``; CLEAR and AMBER+STRICT are read too, though the format does not have them."""

HASHES: Final[Mapping[str, ObservableType]] = {
    "malware.hash.md5": ObservableType.MD5,
    "malware.hash.sha1": ObservableType.SHA1,
    "malware.hash.sha256": ObservableType.SHA256,
}
LEFT_BEHIND: Final[Mapping[str, str]] = {
    "raw": "it is the original line: the event says what it means",
    "output": "it is the event in another form",
    "event_hash": "it is computed over the event, and the next system computes it anew",
}
GROUPS: Final = frozenset(
    {"source", "destination", "classification", "feed", "time", "malware", "misp", "event_description", "extra"}
)
"""The name-spaces of fields."""
TAKEN: Final = frozenset(
    {
        *HASHES,
        "time.source",
        "time.observation",
        "tlp",
        "feed.accuracy",
        "classification.taxonomy",
        "protocol.transport",
        "protocol.application",
    }
)
"""Fields with a place of their own; everything else travels as a machine tag."""


def kind_of(classification_type: str) -> str | None:
    """Return the RSIT type of an IntelMQ one, None for what is no type at all."""
    kind = SPELLED.get(classification_type, classification_type)
    if kind in BEYOND_RSIT:
        return "other"
    return kind if kind in rsit.CLASS_OF else None
