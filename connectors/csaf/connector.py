"""The kind ``csaf``: CSAF 2.0 advisories and CVE records from a file, a folder or a provider."""

from __future__ import annotations

from typing import Literal

from connectors.csaf.sources import FileSource, ProviderSource
from connectors.sdk.exchange import Source, Tools
from connectors.sdk.kind import Kind, Settings


class CsafSettings(Settings, frozen=True, forbid_unknown_fields=True):
    """Where advisories come from.

    :param path: a file or a folder; or
    :param url: a ``provider-metadata.json``, a ROLIE feed, or a directory (with ``/`` at its end) that has changes.csv.
    :param default_tlp: of advisories that name no TLP label; CVE records are TLP:CLEAR.
    :param drafts: publish advisories of status draft too.
    """

    path: str | None = None
    url: str | None = None
    default_tlp: Literal["clear", "green", "amber", "amber+strict", "red"] = "amber"
    drafts: bool = False

    def __post_init__(self) -> None:
        """Refuse what would only fail when it runs."""
        if (self.path is None) == (self.url is None):
            raise ValueError("set either path or url")


def _source(settings: CsafSettings, tools: Tools) -> Source:
    if settings.url is not None:
        return ProviderSource(tools, settings.url, settings.default_tlp, settings.drafts)
    return FileSource(tools, tools.path(str(settings.path)), settings.default_tlp, settings.drafts)


KIND = Kind(
    name="csaf",
    summary="CSAF 2.0 advisories of vendors and CERTs, and CVE records, in",
    settings=CsafSettings,
    source=_source,
)
