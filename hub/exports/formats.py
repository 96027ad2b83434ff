"""Every format by its name: how it is written, what it is called on the wire, and which objects it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hub.exports import author_rules, block_list, csv_table, iodef, misp, rpz, stix_bundle, suricata
from hub.exports.request import Write

TEXT: Final = "text/plain; charset=utf-8"
_INDICATORS: Final = ("indicator",)


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    :param extension: of a file that holds it. :param types: STIX types it is made of; None is every type.
    """

    write: Write
    media_type: str
    extension: str
    types: tuple[str, ...] | None = _INDICATORS


FORMATS: Final[Mapping[str, Format]] = {
    "stix": Format(stix_bundle.write, "application/stix+json;version=2.1", "json", None),
    "csv": Format(csv_table.write, "text/csv; charset=utf-8", "csv"),
    "ip": Format(block_list.ip, TEXT, "txt"),
    "domain": Format(block_list.domain, TEXT, "txt"),
    "url": Format(block_list.url, TEXT, "txt"),
    "hash": Format(block_list.hash_, TEXT, "txt"),
    "rpz": Format(rpz.write, "text/dns; charset=us-ascii", "zone"),
    "suricata": Format(suricata.rules, TEXT, "rules"),
    "suricata-domains": Format(suricata.dataset_domains, TEXT, "lst"),
    "suricata-hashes": Format(suricata.dataset_hashes, TEXT, "lst"),
    "misp": Format(misp.write, "application/json", "json"),
    "iodef": Format(iodef.xml, "application/xml", "xml", ("incident", "indicator")),
    "iodef-json": Format(iodef.json, "application/json", "json", ("incident", "indicator")),
    "yara": Format(author_rules.yara, TEXT, "yar"),
    "sigma": Format(author_rules.sigma, TEXT, "yml"),
    "snort": Format(author_rules.snort, TEXT, "rules"),
    "suricata-rules": Format(author_rules.suricata, TEXT, "rules"),
}
"""Names stand in URLs and in tokens: none is ever given another meaning."""
