"""The words of n6: categories, restrictions, confidences, statuses and attributes, as its documentation names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hub.domain import tlp
from hub.domain.observable_text import ObservableType

SYSTEM: Final = "n6"


@dataclass(frozen=True, slots=True)
class Category:
    """What an n6 category is. :param threat: the event's addresses are those of the attacker, not of the victim."""

    kind: str
    threat: bool = False
    indicator_type: str = "malicious-activity"


CATEGORIES: Final[Mapping[str, Category]] = {
    "amplifier": Category("ddos-amplifier"),
    "backdoor": Category("system-compromise"),
    "bots": Category("infected-system"),
    "cnc": Category("c2-server", threat=True),
    "deface": Category("application-compromise"),
    "dns-query": Category("other"),
    "dos-attacker": Category("ddos", threat=True),
    "dos-victim": Category("ddos"),
    "flow": Category("other"),
    "flow-anomaly": Category("other"),
    "fraud": Category("masquerade", threat=True),
    "leak": Category("data-leak"),
    "malurl": Category("malware-distribution", threat=True),
    "malware-action": Category("malware-configuration"),
    "other": Category("other"),
    "phish": Category("phishing", threat=True),
    "proxy": Category("other", threat=True, indicator_type="anonymization"),
    "sandbox-url": Category("malware-distribution", threat=True),
    "scam": Category("masquerade", threat=True),
    "scanning": Category("scanner", threat=True, indicator_type="anomalous-activity"),
    "server-exploit": Category("exploit", threat=True),
    "spam": Category("spam", threat=True),
    "spam-url": Category("spam", threat=True),
    "tor": Category("other", threat=True, indicator_type="anonymization"),
    "vulnerable": Category("vulnerable-system"),
    "webinject": Category("malware-distribution"),
}
"""The categories of the n6 REST API, their type of the RSIT, and whose addresses they are about."""

BACK: Final[Mapping[str, str]] = {
    "c2-server": "cnc",
    "ddos": "dos-attacker",
    "ddos-amplifier": "amplifier",
    "infected-system": "bots",
    "malware-distribution": "malurl",
    "malware-configuration": "malware-action",
    "phishing": "phish",
    "masquerade": "fraud",
    "scanner": "scanning",
    "exploit": "server-exploit",
    "brute-force": "server-exploit",
    "spam": "spam",
    "data-leak": "leak",
    "vulnerable-system": "vulnerable",
    "system-compromise": "backdoor",
    "application-compromise": "deface",
}
"""The category of an RSIT type, for what does not come from n6; everything else is ``other``."""

RESTRICTIONS: Final[Mapping[str, tlp.Level]] = {"public": "clear", "need-to-know": "amber", "internal": "red"}
CONFIDENCES: Final[Mapping[str, int]] = {"low": 15, "medium": 50, "high": 85}
"""The middle of the ranges of STIX 2.1, Appendix A."""
ENDED: Final = frozenset({"bl-delist", "delisted"})
SUPERSEDED: Final = frozenset({"replaced"})
EXPIRED: Final = frozenset({"bl-expire", "expired"})
UPDATE_LIFETIME_US: Final = 48 * 3600 * 1_000_000
"""How long an entry usually lives after its latest update, as the documentation says of ``expires``."""
DESTINATION_NAME: Final = frozenset({"bots", "scanning"})
"""Categories of which ``fqdn`` is the destination of the traffic, as the documentation says."""

HASHES: Final = {"md5": ObservableType.MD5, "sha1": ObservableType.SHA1, "sha256": ObservableType.SHA256}
DETAILS: Final = (
    "action", "adip", "block", "category", "iban", "name", "origin", "phone", "product", "registrar", "source",
    "target", "url_pattern", "username", "x509fp_sha1", "x509issuer", "x509subject",
)  # fmt: skip
"""Attributes that travel as machine tags."""
KNOWN: Final = frozenset(
    {*DETAILS, *HASHES, "id", "restriction", "confidence", "time", "modified", "expires", "address", "dip", "dport",
     "sport", "proto", "email", "fqdn", "url", "status", "type", "replaces"}
)  # fmt: skip
