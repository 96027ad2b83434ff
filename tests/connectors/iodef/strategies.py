"""Incidents of IODEF of any shape the classes allow, for properties."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from connectors.iodef.mapping.classes import CLASSES, IMPACTS, Attribute, Child, completed
from connectors.iodef.mapping.vocabulary import NOT_IN_XML, VALUES

_WORDS: Final = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"), exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=12,
)
TEXTS: Final = st.lists(_WORDS, min_size=1, max_size=3).map(" ".join)
_TIMES: Final = st.datetimes().filter(lambda one: one.year > 1000).map(lambda one: one.strftime("%Y-%m-%dT%H:%M:%SZ"))
_SIMPLE: Final[dict[str, st.SearchStrategy[Any]]] = {
    "text": TEXTS,
    "ml": TEXTS | st.fixed_dictionaries({"value": TEXTS, "lang": st.just("fr")}),
    "time": _TIMES,
    "int": st.integers(0, 70_000),
    "real": st.integers(1, 1000) | st.floats(0.5, 1000, width=16),
    "url": st.sampled_from(["https://example.org/a", "https://example.org/b?c=d&e=f"]),
    "portlist": st.sampled_from(["80", "1-1024,8080"]),
    "timezone": st.sampled_from(["Z", "+05:30"]),
    "base64": st.sampled_from(["PGE+PC9hPg=="]),
    "lines": st.lists(_WORDS, min_size=1, max_size=4).map("\n".join),
}
_ADDRESSES: Final = st.sampled_from(
    [
        ("ipv4-addr", "192.0.2.1"),
        ("ipv4-net", "198.51.100.0/24"),
        ("ipv6-addr", "2001:db8::1"),
        ("asn", "64496"),
        ("e-mail", "a@example.org"),
        ("mac", "00:00:5e:00:53:01"),
        ("site-uri", "https://example.org/x'y"),
        ("atm", "47.0091"),
        ("ipv4-addr", "nonsense"),
    ]
)


def _attribute(attribute: Attribute) -> st.SearchStrategy[Any]:
    if attribute.integer:
        return st.integers(0, 300)
    if attribute.values:
        return st.sampled_from(sorted(VALUES[attribute.values] - NOT_IN_XML.get(attribute.values, frozenset())))
    return TEXTS


@st.composite
def classes(draw: st.DrawFn, kind: str, depth: int = 0) -> dict[str, Any]:
    """Draw one class; the deeper it stands, the less is in it."""
    known = CLASSES[kind]
    result: dict[str, Any] = {}
    for name, attribute in known.attributes.items():
        if name.startswith("ext-") or (name in ("observable-id", "version", "lang") and kind != "IndicatorID"):
            continue
        if attribute.required or draw(st.integers(0, 3)) == 0:
            result[name] = draw(_attribute(attribute))
    if known.content:
        result[known.content] = draw(_SIMPLE[known.content_kind])
    for name, child in known.children.items():
        if child.required or draw(st.integers(0, 3 + 3 * depth)) == 0:
            _draw_child(draw, result, name, child, depth)
    if kind == "Address":
        result["category"], result["value"] = draw(_ADDRESSES)
    if kind == "DomainData":
        result["Name"] = draw(st.sampled_from(["mail.example.org", "not a domain"]))
    return completed(result, kind)


def _draw_child(draw: st.DrawFn, result: dict[str, Any], name: str, child: Child, depth: int) -> None:
    count = draw(st.integers(1, 2)) if child.many else 1
    if name == "Impact":
        kinds = [draw(st.sampled_from(sorted(IMPACTS))) for _ in range(count)]
        result[name] = [{one: draw(classes(IMPACTS[one], depth + 1))} for one in kinds]
    elif child.kind in _SIMPLE:
        values = [draw(_SIMPLE[child.kind]) for _ in range(count)]
        result[name] = values if child.many else values[0]
    elif depth < 4 or child.required:
        bodies = [draw(classes(child.kind, depth + 1)) for _ in range(count)]
        result[name] = bodies if child.many else bodies[0]


def incidents() -> st.SearchStrategy[dict[str, Any]]:
    """Incidents with all that RFC 7970 requires."""
    return classes("Incident")
