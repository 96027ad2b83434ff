"""The Reference Security Incident Taxonomy (version 1003, CC0), as machine tags in labels: ``rsit:class="type"``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

TYPES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "abusive-content": ("spam", "harmful-speech", "violence"),
        "malicious-code": ("infected-system", "c2-server", "malware-distribution", "malware-configuration"),
        "information-gathering": ("scanner", "sniffing", "social-engineering"),
        "intrusion-attempts": ("ids-alert", "brute-force", "exploit"),
        "intrusions": (
            "privileged-account-compromise",
            "unprivileged-account-compromise",
            "application-compromise",
            "system-compromise",
            "burglary",
        ),
        "availability": ("dos", "ddos", "misconfiguration", "sabotage", "outage"),
        "information-content-security": (
            "unauthorised-information-access",
            "unauthorised-information-modification",
            "data-loss",
            "data-leak",
        ),
        "fraud": ("unauthorised-use-of-resources", "copyright", "masquerade", "phishing"),
        "vulnerable": (
            "weak-crypto",
            "ddos-amplifier",
            "potentially-unwanted-accessible",
            "information-disclosure",
            "vulnerable-system",
        ),
        "other": ("other", "undetermined"),
        "test": ("test",),
    }
)
"""The incident types of each classification."""

CLASS_OF: Final[Mapping[str, str]] = MappingProxyType({kind: name for name, kinds in TYPES.items() for kind in kinds})
"""The classification of each incident type: no type stands in two."""

_LABEL: Final = re.compile(r'rsit:([a-z0-9-]{1,40})="([a-z0-9-]{1,60})"')


def label(kind: str) -> str:
    """Return the machine tag of an incident type. Raises KeyError for what is none."""
    return f'rsit:{CLASS_OF[kind]}="{kind}"'


def kind_of(labels: Iterable[object]) -> str | None:
    """Return the first incident type among labels, None when there is none."""
    for one in labels:
        match = _LABEL.fullmatch(one) if isinstance(one, str) else None
        if match is not None and CLASS_OF.get(match[2]) == match[1]:
            return match[2]
    return None
