"""Read a collection: pages of stored bytes, manifests and versions, each limited to what the caller may see."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from hub.domain.membership import Caller, Right
from hub.domain.stix import version_key
from hub.domain.taxii import Query, VersionMatch
from hub.errors import NotFound
from hub.services import access, deliveries
from hub.services.access import OpenCollection
from hub.services.builtin import BuiltinObject, builtin_object
from hub.services.context import Hub
from hub.store import pages
from hub.store.pages import ManifestPage, Page, Selection

SPEC_VERSION = "2.1"
NO_PAGE = Page(bodies=[], first=None, last=None, more=False)
NO_MANIFEST = ManifestPage(records=[], first=None, last=None, more=False)


def objects(hub: Hub, caller: Caller, opened: OpenCollection, query: Query, *, delivers: bool = True) -> Page:
    """Return a page of objects, oldest first (TAXII 2.1 §5.4). Raises Forbidden without the right to read.

    :param delivers: False when the objects are not sent, as in the answer to a HEAD: then nobody was served them.
    """
    access.require(opened.rights, Right.READ)
    if not _provides(query):
        return NO_PAGE
    selection = _selection(hub, caller, opened, query)
    with hub.db.read() as tx:
        page = pages.objects(tx, selection)
    if delivers and page.dates:
        hub.deliveries.add(deliveries.of_page(selection, page.dates, hub.clock()))
    return page


def manifest(hub: Hub, caller: Caller, opened: OpenCollection, query: Query) -> ManifestPage:
    """Return a page of manifest records, one for each version that matches (TAXII 2.1 §5.3)."""
    access.require(opened.rights, Right.READ)
    if not _provides(query):
        return NO_MANIFEST
    with hub.db.read() as tx:
        return pages.manifest(tx, _selection(hub, caller, opened, query))


def one(hub: Hub, caller: Caller, opened: OpenCollection, stix_id: str, query: Query, *, delivers: bool = True) -> Page:
    """Return the versions of one object (TAXII 2.1 §5.6).

    :raises NotFound: the caller may see no version of it. When filters exclude all of them the page is empty instead.
    """
    access.require(opened.rights, Right.READ)
    selection = _selection(hub, caller, opened, replace(query, ids=(stix_id,)))
    with hub.db.read() as tx:
        page = pages.objects(tx, selection) if _provides(query) else NO_PAGE
        own = None if page.bodies else _served_anyway(hub, tx, caller, opened, stix_id, query)
    if delivers and page.dates:
        hub.deliveries.add(deliveries.of_page(selection, page.dates, hub.clock()))
    return page if own is None else Page([own.body], own.date_added, own.date_added, more=False)


def versions(hub: Hub, caller: Caller, opened: OpenCollection, stix_id: str, query: Query) -> ManifestPage:
    """Return the versions of one object as manifest records, oldest added first (TAXII 2.1 §5.8)."""
    access.require(opened.rights, Right.READ)
    every = replace(query, ids=(stix_id,), versions=VersionMatch(last=False, all=True))
    with hub.db.read() as tx:
        page = pages.manifest(tx, _selection(hub, caller, opened, every)) if _provides(query) else NO_MANIFEST
        own = None if page.records else _served_anyway(hub, tx, caller, opened, stix_id, every)
    if own is None:
        return page
    return ManifestPage([(stix_id, own.date_added, own.version)], own.date_added, own.date_added, more=False)


def _served_anyway(
    hub: Hub, tx: Connection, caller: Caller, opened: OpenCollection, stix_id: str, query: Query
) -> BuiltinObject | None:
    """Return the hub's own object of this id, None where the filters leave nothing. Raises NotFound for other ids."""
    if pages.exists_visible(tx, opened.collection.id, caller.peer.id, stix_id, hub.clock()):
        return None
    own = builtin_object(tx, stix_id, opened.group.id)
    if own is None:
        raise NotFound("there is no such object")
    wanted = query.versions
    matches = wanted.last or wanted.first or wanted.all or version_key(own.version) in wanted.exact
    passed = max(query.added_after or 0, query.position or 0) >= own.date_added
    return own if matches and _provides(query) and not passed else None


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
