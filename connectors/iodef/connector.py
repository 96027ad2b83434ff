"""The kind ``iodef``: IODEF v2 documents from a folder or from addresses, and into a folder."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from connectors.iodef.folder import FolderTarget
from connectors.iodef.sources import AddressSource, FolderSource
from connectors.sdk.exchange import Source, Target, Tools
from connectors.sdk.kind import Kind, Settings
from hub.domain import naming
from hub.domain.limits import MAX_RELEASABILITY_REFS

Identity = Annotated[str, msgspec.Meta(pattern=naming.IDENTITY)]


class IodefSettings(Settings, frozen=True, forbid_unknown_fields=True):
    """Where documents come from or go to.

    :param folder: as a source, every ``*.xml`` and ``*.json`` in it is read; as a target, one document per incident
        is written there. :param urls: addresses of documents, as a source.
    :param name: of this CSIRT, its domain name (RFC 7970 §3.4), on incidents that have no number of their own.
    :param form: of the documents that are written.
    :param recipients: STIX identities of those who may have what is RED or private, as a source.
    :param default_restriction: what the restriction ``default`` stands for: agree on it with the other side.
    """

    folder: str | None = None
    urls: tuple[str, ...] = ()
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=255)] = "hub.invalid"
    form: Literal["xml", "json"] = "xml"
    default_restriction: Literal["clear", "green", "amber", "amber+strict", "red"] = "amber"
    recipients: Annotated[tuple[Identity, ...], msgspec.Meta(max_length=MAX_RELEASABILITY_REFS)] = ()

    def __post_init__(self) -> None:
        """Refuse what would only fail when it runs."""
        if (self.folder is None) == (not self.urls):
            raise ValueError("set either folder or urls")
        if len(set(self.recipients)) != len(self.recipients):
            raise ValueError("recipients names somebody twice")


def _source(settings: IodefSettings, tools: Tools) -> Source:
    if settings.folder is not None:
        return FolderSource(tools, tools.path(settings.folder), settings.default_restriction, settings.recipients)
    return AddressSource(tools, settings.urls, settings.default_restriction, settings.recipients)


def _target(settings: IodefSettings, tools: Tools) -> Target:
    if settings.folder is None:
        raise ValueError("documents are written to a folder: set folder")
    return FolderTarget(tools, tools.path(settings.folder), settings.name, settings.form)


KIND = Kind(
    name="iodef",
    summary="IODEF v2 (ITU-T X.1541) documents in XML or JSON, both ways",
    settings=IodefSettings,
    source=_source,
    target=_target,
)
