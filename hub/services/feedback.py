"""Feedback: what has been said about an object, and the inbox in which its author finds it, also under a pseudonym."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.domain import limits
from hub.domain.feedback import OPINIONS, TYPES, is_false_positive, targets, value
from hub.domain.membership import Caller
from hub.domain.submission import Decided
from hub.errors import InvalidRequest, NotFound
from hub.services.actor import Actor, is_operator, require_reader
from hub.services.context import Hub
from hub.store import feedback as store
from hub.store import pseudonyms as pseudonym_store
from hub.store.feedback import NewFeedback, StoredFeedback


@dataclass(frozen=True, slots=True)
class Item:
    """One sighting, opinion or note, and the objects it is about as far as they were asked for."""

    row: StoredFeedback
    about: list[str]

    @property
    def false_positive(self) -> bool:
        """Say whether it reports a false positive."""
        return is_false_positive(self.row.type, self.row.value)


@dataclass(frozen=True, slots=True)
class Tally:
    """The feedback about an object, as one peer may see it; each object counts once, wherever it is stored.

    :param sightings: sightings that saw something. :param seen: how often they did, together.
    :param unseen: sightings that looked and saw nothing. :param more: there are more than were counted.
    """

    sightings: int
    seen: int
    unseen: int
    opinions: dict[str, int]
    false_positives: int
    notes: int
    items: list[Item]
    more: bool


@dataclass(frozen=True, slots=True)
class Inbox:
    """A page of feedback about one's own objects. :param following: the place of the log to go on from."""

    items: list[Item]
    more: bool
    following: int


def rows_of(items: Sequence[Decided], dates: Sequence[int], places: Sequence[int]) -> list[NewFeedback]:
    """Return what has to be noted of versions just stored: nothing for most types.

    :param dates: their `date_added`. :param places: their places in the transparency log.
    """
    return [
        NewFeedback(target, date_added, item.parsed.facts.type, value(item.parsed.obj), log_index)
        for item, date_added, log_index in zip(items, dates, places, strict=True)
        if item.parsed.facts.type in TYPES
        for target in targets(item.parsed.obj)
    ]


def of_object(hub: Hub, actor: Actor, stix_id: str) -> Tally:
    """Return the feedback about an object that the actor may see, out of what he may see himself. Raises NotFound."""
    require_reader(actor)
    reader = actor.peer.id if isinstance(actor, Caller) and not is_operator(actor) else None
    now = hub.clock()
    with hub.db.read() as tx:
        if not store.sees(tx, stix_id, reader, now):
            raise NotFound("there is no such object")
        rows = store.about(tx, stix_id, reader, now, limit=limits.FEEDBACK_COUNTED + 1)
    more = len(rows) > limits.FEEDBACK_COUNTED
    return _tally(list({row.stix_id: row for row in rows[: limits.FEEDBACK_COUNTED]}.values()), more)


def inbox(hub: Hub, caller: Caller, *, after: str | None, limit: int) -> Inbox:
    """Return the feedback about what the caller's peer has authored, in the order in which the hub took it.

    1. The log orders everything on the hub as it was committed: what comes later has a later place, so none is missed.
    2. A page looks at a bounded stretch of it; it may be empty although there is more.
    3. Only what the peer may see itself is in it, as on every other reading path.
    """
    require_reader(caller)
    try:
        start = -1 if after is None else int(after)
    except ValueError:
        raise InvalidRequest("give the next of an earlier answer", field="after") from None
    with hub.db.read() as tx:
        authors = pseudonym_store.identities_of(tx, caller.peer.id)
        upto, more = store.stretch(tx, start, limits.FEEDBACK_STRETCH)  # 1, 2
        rows = store.since(tx, authors, caller.peer.id, hub.clock(), after=start, upto=upto)  # 3
    grouped: dict[int, list[StoredFeedback]] = {}
    for row in rows:
        grouped.setdefault(row.log_index, []).append(row)
    items = [Item(found[0], [row.target for row in found]) for found in grouped.values()]
    if len(items) > limit:
        items, more = items[:limit], True
        upto = items[-1].row.log_index
    return Inbox(items, more, max(upto, 0))


def _tally(rows: Sequence[StoredFeedback], more: bool) -> Tally:
    seen = [int(row.value or 1) for row in rows if row.type == "sighting" and row.value != "0"]
    return Tally(
        sightings=len(seen),
        seen=sum(seen),
        unseen=sum(row.type == "sighting" and row.value == "0" for row in rows),
        opinions={said: sum(row.type == "opinion" and row.value == said for row in rows) for said in OPINIONS},
        false_positives=sum(is_false_positive(row.type, row.value) for row in rows),
        notes=sum(row.type == "note" for row in rows),
        items=[Item(row, [row.target]) for row in rows[: limits.FEEDBACK_LISTED]],
        more=more or len(rows) > limits.FEEDBACK_LISTED,
    )
