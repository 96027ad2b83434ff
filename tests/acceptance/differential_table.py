"""Why the hub answers otherwise than medallion 3.0.0, request by request.

T- are rules of TAXII 2.1, M- faults of medallion, A- places where the standard leaves a choice, K- habits of clients;
the sentence beside them says what each means here.
"""

from __future__ import annotations

from dataclasses import dataclass

STATUS, TYPE, HEADERS, BODY = "status", "content_type", "headers", "body"


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs, and why it must. ``hub`` and ``medallion`` are the statuses where these differ."""

    parts: frozenset[str] = frozenset()
    ids: tuple[str, ...] = ()
    why: str = ""
    hub: int = 0
    medallion: int = 0


def _same_status(ids: str, why: str, *parts: str) -> Difference:
    return Difference(frozenset(parts), tuple(ids.split()), why)


def _other_status(ids: str, hub: int, medallion: int, why: str, *parts: str) -> Difference:
    return Difference(frozenset((STATUS, *parts)), tuple(ids.split()), why, hub, medallion)


_ABSOLUTE = _same_status("T-103 K-10", "API roots are absolute URLs: cytaxii2 uses `default` as it stands", BODY)
_HTML = _same_status("M-03 T-012 T-032", "an error is a TAXII `error`; medallion answers an HTML page", BODY, TYPE)
_ACCEPT = _other_status("M-01 T-033 T-034", 200, 406, "a range that contains TAXII 2.1 is served", BODY)
_ANYTHING = _other_status("T-036", 200, 406, "the hub satisfies a header that names no TAXII type at all", BODY)
_SLASH = _other_status(
    "A-01", 200, 308, "a path without its slash is served: a redirect may lose body or credential", BODY, TYPE, HEADERS
)
_ALIAS = "M-27 T-142"
_MORE = _same_status("T-080 T-098", "`more` is always said; absent means false, so an empty answer is the same", BODY)
_DUPLICATE = _same_status("T-174 A-08", "an exact duplicate is no error; medallion reports a failure", BODY)
_REPEATED = _other_status(
    "M-05 T-064", 400, 200, "a repeated parameter is malformed; medallion takes the first", BODY, HEADERS
)
_KEYWORDS = _other_status(
    "M-05 T-069", 400, 200, "`all` stands alone and no keyword is repeated; medallion takes both", BODY, HEADERS
)
_ASCENDING = _same_status("A-15 T-052", "versions come in the order they were added; medallion sorts them down", BODY)

DIFFERENCES: dict[str, Difference] = {
    "discovery": _ABSOLUTE,
    "discovery without credentials": _HTML,
    "discovery with a wrong password": _HTML,
    "discovery without a trailing slash": _SLASH,
    "Accept without version": _ACCEPT,
    "Accept with a space": _ABSOLUTE,
    "Accept of anything": _ANYTHING,
    "Accept with a weight": _ACCEPT,
    "Accept of 2.0 and 2.1": _ACCEPT,
    "Accept in upper case": _ACCEPT,
    "no Accept": _ANYTHING,
    "path that does not exist": _HTML,
    "PUT to objects": _HTML,
    "collections": _same_status(_ALIAS, "collections have an alias; medallion knows none", BODY),
    "collection": _same_status(_ALIAS, "collections have an alias; medallion knows none", BODY),
    "collection without a trailing slash": _SLASH,
    "collection by alias": _other_status(_ALIAS, 200, 404, "an alias works in place of the id", BODY),
    "objects without credentials": _HTML,
    "objects of an empty collection": _MORE,
    "manifest of an empty collection": _MORE,
    "HEAD of objects": _other_status("M-15", 200, 500, "HEAD is GET without a body; medallion fails", TYPE),
    "POST of what is there already": _DUPLICATE,
    "POST with an unknown property in the envelope": _DUPLICATE,
    "POST of a bundle": _DUPLICATE,
    "POST with a space in Content-Type": _DUPLICATE,
    "POST of a body in chunks": _other_status("M-24 A-23", 202, 400, "a body may come in chunks", BODY),
    "POST without credentials": _HTML,
    "POST with a Content-Type without version": _other_status(
        "M-02 T-035", 202, 415, "the version parameter is optional", BODY
    ),
    "POST of an empty list of objects": _other_status(
        "A-17 T-024", 422, 202, "an empty list is no list of TAXII; medallion makes a status of nothing", BODY
    ),
    "POST of objects that are no list": _other_status(
        "A-17 T-097", 422, 202, "`objects` is a list; medallion makes a status of nothing", BODY
    ),
    "POST of what is no JSON": _HTML,
    "POST of nothing": _other_status(
        "M-24 T-114", 400, 413, "an empty body is no JSON, and it is not too long either", BODY
    ),
    "next without limit": _other_status(
        "M-06 T-082", 200, 500, "the limit may change between pages; medallion fails without one", BODY, TYPE, HEADERS
    ),
    "next of objects on the manifest": _other_status(
        "M-07 T-084", 400, 200, "a cursor is good for its endpoint; medallion serves objects as records", BODY, HEADERS
    ),
    "match unknown id": _MORE,
    "match unknown type": _MORE,
    "match id and type that exclude each other": _MORE,
    "match version all,last": _KEYWORDS,
    "match version last,last": _KEYWORDS,
    "match version that is no version": _other_status(
        "M-04 T-055", 400, 500, "a malformed parameter is 400; medallion fails", BODY, TYPE
    ),
    "match spec version 2.0": _MORE,
    "match type twice": _REPEATED,
    "added after, in the future": _same_status(
        "T-045 A-05 T-080",
        "the date headers stand on every 200: on an empty page they repeat the question",
        BODY,
        HEADERS,
    ),
    "added after, with an offset": _other_status(
        "M-04 A-04", 200, 500, "every RFC 3339 time is taken; medallion fails", BODY, TYPE, HEADERS
    ),
    "added after, that is no time": _other_status(
        "M-04 T-055", 400, 500, "a malformed parameter is 400; medallion fails", BODY, TYPE
    ),
    "added after, twice": _REPEATED,
    "object, every version filtered out": _MORE,
    "versions": _ASCENDING,
    "versions after the DELETE of one": _ASCENDING,
    "object of two versions after its DELETE": _other_status(
        "M-09 T-193 A-09", 404, 200, "a deleted object is gone; medallion deletes its last version only", BODY, HEADERS
    ),
    "manifest after the DELETEs": _same_status(
        "M-09 T-193", "a deleted object leaves the manifest; medallion still lists its first version", BODY
    ),
    "objects where only reading is allowed": _MORE,
    "POST of what is no STIX": _same_status(
        "M-20 T-176", "what is no STIX object is a failure; medallion stores it", BODY
    ),
    "POST of STIX 2.0": _same_status(
        "M-31 A-25 T-173", "the collection takes STIX 2.1; medallion adds the other media type to it", BODY
    ),
    "POST of an object without id": _other_status(
        "M-21 T-176", 202, 422, "one bad object is one failure; medallion refuses the envelope half stored", BODY
    ),
    "objects after it": _other_status(
        "M-18",
        200,
        500,
        "nine digits are a STIX time; they spoil a medallion for good",
        BODY,
        TYPE,
        HEADERS,
    ),
}
