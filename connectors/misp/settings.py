"""The settings of a connection with one MISP, checked before anything starts."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from connectors.misp.mapping.audience import Rules, Share
from connectors.misp.mapping.shape import UUID
from connectors.misp.mapping.stix_to_event import OutRules
from connectors.sdk.kind import Settings
from hub.domain import naming

_TAG: Final = re.compile(r"[^\s\"\\,][^\"\\,\n\r]{1,80}(?:\"[^\"\\\n\r]{1,80}\")?")

TlpLevel = Literal["clear", "green", "amber", "amber+strict"]
Distribution = Annotated[int, msgspec.Meta(ge=0, le=3)]


class MispSettings(Settings, frozen=True):
    """Exactly one of ``url`` (a server), ``feed`` (a feed: an address or a folder) and ``file`` says where.

    Both directions
    :param key_file: file with the API key of the server's user. :param origin_tag: on what comes from the hub.
    :param default_tlp: of what has no TLP. :param organisations: uuid or name of an organisation -> peer's identity.

    From MISP
    :param published_only: take an event only once it is published. :param withdraw_unpublished: MISP unpublishes an
        event at every edit, so withdrawing it then is for those who want that.
    :param withdraw_missing: what is no longer on the server or in the feed is withdrawn.
    :param max_withdrawn_events: more missing at once than this is taken for a fault, and nothing is withdrawn.
    :param this_community: what is done with distribution 1; :param connected_communities: with 2;
        :param all_communities: with 3. :param missing_distribution: the distribution of an event that says none.
    :param sharing_groups: uuid -> ``members`` or ``group``; a sharing group that is not here is not sent.

    To MISP
    :param distribution: the widest an event gets; its marking may narrow it, nothing widens it.
    :param publish: publish what is delivered. :param feed_tlp: the strictest level a feed holds, since anybody who can
        read the feed reads all of it.
    """

    url: str | None = None
    feed: str | None = None
    file: str | None = None
    key_file: str | None = None
    origin_tag: str = 'cybex:origin="hub"'
    default_tlp: TlpLevel = "amber"
    organisations: dict[str, str] = msgspec.field(default_factory=dict)
    published_only: bool = True
    withdraw_unpublished: bool = False
    withdraw_missing: bool = True
    max_withdrawn_events: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 20
    this_community: Literal["withhold", "group"] = "withhold"
    connected_communities: Literal["withhold", "group"] = "group"
    all_communities: Share = "relay"
    missing_distribution: Distribution | None = None
    sharing_groups: dict[str, Literal["members", "group"]] = msgspec.field(default_factory=dict)
    distribution: Distribution = 0
    publish: bool = False
    feed_tlp: TlpLevel = "green"

    def __post_init__(self) -> None:
        """Refuse what would only fail when it runs."""
        given = [name for name in ("url", "feed", "file") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError("set exactly one of url, feed and file")
        if (self.url is None) != (self.key_file is None):
            raise ValueError("url and key_file go together: a server wants the API key of a user")
        for name in ("url", "feed"):
            value = getattr(self, name)
            if value is not None and (name == "url" or "://" in value) and not _is_address(value):
                raise ValueError(f"{name} is no http or https address")
        if not all(re.fullmatch(naming.IDENTITY, one) for one in self.organisations.values()):
            raise ValueError("organisations holds something that is no STIX identity id")
        if not all(UUID.fullmatch(one.lower()) for one in self.sharing_groups):
            raise ValueError("sharing_groups names a sharing group by something that is no uuid")
        if not _TAG.fullmatch(self.origin_tag):
            raise ValueError('origin_tag is no tag, such as cybex:origin="hub"')

    def rules(self, identity: str) -> Rules:
        """Return what holds for events that come in."""
        by_name: dict[str, Any] = {_folded(name): peer for name, peer in self.organisations.items()}
        return Rules(
            identity=identity,
            organisations=by_name,
            levels={1: self.this_community, 2: self.connected_communities, 3: self.all_communities},
            unstated=self.missing_distribution,
            sharing_groups={name.lower(): kind for name, kind in self.sharing_groups.items()},
            default_tlp=self.default_tlp,
            origin_tag=self.origin_tag,
        )

    def out_rules(self) -> OutRules:
        """Return what holds for objects that go out; a feed has no distribution, so its level is the limit there."""
        widest = 3 if self.feed is not None else self.distribution
        return OutRules(distribution=widest, default_tlp=self.default_tlp, origin_tag=self.origin_tag)


def _folded(name: str) -> str:
    return name.lower() if UUID.fullmatch(name.lower()) else name


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False
