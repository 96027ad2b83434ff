"""The enumerations of IODEF v2 (RFC 7970 §3 and §8, IANA registry "IODEF"), by a short name of ours.

RFC 7970's text and its XML Schema, and RFC 8727, do not agree on a few values; `XML_ONLY` says how
one becomes the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

EXTENSION: Final = "ext-value"
"""The value that says: look into the attribute ``ext-…``."""

_ACTIONS: Final = (
    "nothing contact-source-site contact-target-site contact-sender investigate block-host block-network block-port "
    "rate-limit-host rate-limit-network rate-limit-port redirect-traffic honeypot upgrade-software rebuild-asset "
    "harden-asset remediate-other status-triage status-new-info watch-and-report training defined-coa other"
)
_ADDRESSES: Final = (
    "asn atm e-mail ipv4-addr ipv4-net ipv4-net-masked ipv4-net-mask ipv6-addr ipv6-net ipv6-net-masked mac site-uri"
)
_BREACHES: Final = "breach-proprietary breach-privacy breach-credential"

_TABLE: Final = {
    "purpose": "traceback mitigation reporting watch other",
    "status": "new in-progress forwarded resolved future",
    "restriction": "default public partner need-to-know private white green amber red",
    "role": "creator reporter admin tech provider user billing legal abuse irt cc cc-irt leo vendor vendor-support "
    "victim victim-notified",
    "contact-type": "person organization",
    "registry": "internic apnic arin lacnic ripe afrinic local",
    "postal": "street mailing",
    "telephone": "wired mobile fax hotline",
    "email": "direct hotline",
    "source": "nidps hips siem av third-party-monitoring incident os-log application-log device-log network-flow "
    "passive-dns investigation audit internal-notification external-notification leo partner actor unknown",
    "occurrence": "actual potential",
    "completion": "failed succeeded",
    "severity": "low medium high",
    "business-severity": "none low medium high unknown",
    "system-impact": "takeover-account takeover-service takeover-system cps-manipulation cps-damage availability-data "
    f"availability-account availability-service availability-system damaged-system damaged-data {_BREACHES} "
    "breach-configuration integrity-data integrity-configuration integrity-hardware traffic-redirection "
    "monitoring-traffic monitoring-host policy unknown",
    "business-impact": f"{_BREACHES} loss-of-integrity loss-of-service theft-financial theft-service "
    "degraded-reputation asset-damage asset-manipulation legal extortion unknown",
    "metric": "labor elapsed downtime",
    "rating": "low medium high numeric unknown",
    "category": "source target intermediate sensor infrastructure",
    "ownership": "organization personal partner customer no-relationship unknown",
    "tristate": "yes no unknown",
    "address": _ADDRESSES,
    "node-role": "client client-enterprise client-partner client-remote client-kiosk client-mobile server-internal "
    "server-public www mail webmail messaging streaming voice file ftp p2p name directory credential print application "
    "database backup dhcp assessment source-control config-management monitoring infra infra-firewall infra-router "
    "infra-switch camera proxy remote-access log virtualization pos scada scada-supervisory sinkhole honeypot "
    "anonymization c2-server malware-distribution drop-server hop-point reflector phishing-site spear-phishing-site "
    "recruiting-site fraudulent-site",
    "counter": "count peak average",
    "unit": "byte mbit packet flow session event alert message host site organization",
    "system-status": "spoofed fraudulent innocent-hacked innocent-hijacked unknown",
    "domain-status": "reservedDelegation assignedAndActive assignedAndInactive assignedAndOnHold revoked "
    "transferPending registryLock registrarLock other unknown",
    "record-pattern": "regex binary xpath",
    "offset-unit": "line byte",
    "registry-action": "add-key add-value delete-key delete-value modify-key modify-value",
    "scope": "file-contents file-pe-section file-pe-iat file-pe-resource file-pdf-object email-hash email-headers-hash "
    "email-body-hash",
    "bulk": "asn atm e-mail ipv4-addr ipv4-net ipv4-net-mask ipv6-addr ipv6-net ipv6-net-mask mac site-uri domain-name "
    "domain-to-ipv4 domain-to-ipv6 domain-to-ipv4-timestamp domain-to-ipv6-timestamp ipv4-port ipv6-port "
    "windows-reg-key file-hash email-x-mailer email-subject http-user-agent http-request-uri mutex file-path user-name",
    "operator": "not and or xor",
    "spec": "custom cpe swid",
    "spec-dtype": "bytes integer real string xml",
    "duration": "second minute hour day month quarter year",
    "action": _ACTIONS,
    "dtype": "boolean byte bytes character date-time integer ntpstamp portlist real string file path frame packet "
    "ipv4-packet ipv6-packet url csv winreg xml json",
}

VALUES: Final[Mapping[str, frozenset[str]]] = {name: frozenset(words.split()) for name, words in _TABLE.items()}
"""The values of each enumeration, without ``ext-value``."""

XML_ONLY: Final[Mapping[str, Mapping[str, str]]] = {
    "role": {"vendor-support": "vendor-services"},
    "counter": {"count": "counter"},
}
"""Where the XML Schema of RFC 7970 §8 spells a value otherwise than its text and RFC 8727: ours to that of the XML."""

ALIASES: Final[Mapping[str, Mapping[str, str]]] = {"bulk": {"fqdn": "domain-name"}}
"""Values that RFC 7970's own examples use (§7.2) and its schema does not know."""

NOT_IN_XML: Final[Mapping[str, frozenset[str]]] = {
    "counter": frozenset({"peak"}),
    "action": frozenset({"training"}),
    "dtype": frozenset({"json"}),
}
"""Values that RFC 8727 has and the XML Schema has not: they are written as extension values."""
