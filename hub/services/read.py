"""Read a collection: pages of stored bytes, manifests and versions, each limited to what the caller may see."""

from __future__ import annotations

from dataclasses import replace

from hub.domain.membership import Caller, Right
from hub.domain.taxii import Query, VersionMatch
from hub.errors import NotFound
from hub.services import access
from hub.services.access import OpenCollection
from hub.services.builtin import builtin_object
from hub.services.context import Hub
from hub.store import pages
from hub.store.pages import ManifestPage, Page, Selection

SPEC_VERSION = "2.1"
NO_PAGE = Page(bodies=[], first=None, last=None, more=False)
NO_MANIFEST = ManifestPage(records=[], first=None, last=None, more=False)


def objects(hub: Hub, caller: Caller, opened: OpenCollection, query: Query) -> Page:
    """Return a page of objects, oldest first (TAXII 2.1 §5.4). Raises Forbidden without the right to read."""
    access.require(opened.rights, Right.READ)
    if not _provides(query):
        return NO_PAGE
    with hub.db.read() as tx:
        return pages.objects(tx, _selection(hub, caller, opened, query))


def manifest(hub: Hub, caller: Caller, opened: OpenCollection, query: Query) -> ManifestPage:
    """Return a page of manifest records, one for each version that matches (TAXII 2.1 §5.3)."""
    access.require(opened.rights, Right.READ)
    if not _provides(query):
        return NO_MANIFEST
    with hub.db.read() as tx:
        return pages.manifest(tx, _selection(hub, caller, opened, query))


def one(hub: Hub, caller: Caller, opened: OpenCollection, stix_id: str, query: Query) -> Page:
    """Return the versions of one object (TAXII 2.1 §5.6).

    :raises NotFound: the caller may see no version of it. When filters exclude all of them the page is empty instead.
    """
    access.require(opened.rights, Right.READ)
    narrowed = replace(query, ids=(stix_id,))
    with hub.db.read() as tx:
        if _provides(query):
            page = pages.objects(tx, _selection(hub, caller, opened, narrowed))
            if page.bodies:
                return page
        if pages.exists_visible(tx, opened.collection.id, caller.peer.id, stix_id, hub.clock()):
            return NO_PAGE
        own = builtin_object(tx, stix_id)
    if own is None:
        raise NotFound("there is no such object")
    if not _provides(query) or (query.added_after or -1) >= own.date_added or query.position is not None:
        return NO_PAGE
    return Page(bodies=[own.body], first=own.date_added, last=own.date_added, more=False)


def versions(hub: Hub, caller: Caller, opened: OpenCollection, stix_id: str, query: Query) -> ManifestPage:
    """Return the versions of one object as manifest records, oldest added first (TAXII 2.1 §5.8)."""
    access.require(opened.rights, Right.READ)
    every = replace(query, ids=(stix_id,), versions=VersionMatch(last=False, all=True))
    with hub.db.read() as tx:
        if _provides(query):
            page = pages.manifest(tx, _selection(hub, caller, opened, every))
            if page.records:
                return page
        if pages.exists_visible(tx, opened.collection.id, caller.peer.id, stix_id, hub.clock()):
            return NO_MANIFEST
        own = builtin_object(tx, stix_id)
    if own is None:
        raise NotFound("there is no such object")
    if not _provides(query) or (query.added_after or -1) >= own.date_added or query.position is not None:
        return NO_MANIFEST
    record = (stix_id, own.date_added, own.version)
    return ManifestPage(records=[record], first=own.date_added, last=own.date_added, more=False)


def _provides(query: Query) -> bool:
    return query.spec_versions is None or SPEC_VERSION in query.spec_versions


def _selection(hub: Hub, caller: Caller, opened: OpenCollection, query: Query) -> Selection:
    wanted = query.limit or hub.bounds.page_objects_default
    return Selection(
        collection_id=opened.collection.id,
        peer_id=caller.peer.id,
        now=hub.clock(),
        added_after=query.added_after,
        position=query.position,
        limit=min(wanted, hub.bounds.page_objects_max),
        max_bytes=hub.bounds.page_bytes_max,
        ids=query.ids,
        types=query.types,
        versions=query.versions,
    )
