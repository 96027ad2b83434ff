"""`python -m benchmarks.wire`: octets of bodies on the wire for 1,000 indicators, by format and content coding.

The hub's are answers of a running hub, read as they come; the others are what the same indicators are in that format.
A file format adds a line to `_others`.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import orjson
import zstandard

from benchmarks import dataset, machine, section
from benchmarks.client import WrongAnswer
from benchmarks.hub_server import running_hub
from benchmarks.hub_world import SLUG, World, make_world
from benchmarks.target import Target
from hub.domain.agreement import GroupMapping
from hub.domain.membership import Right
from hub.services import agreements, collections, hub_cards, members, pack_keys
from hub.services.actor import LOCAL_OPERATOR
from hub.services.relay import carried, packing
from hub.services.relay.pack_output import Sealing
from hub.services.relay.packing import Wanted

COUNT: Final = 1_000
COLLECTION: Final = "wire"
GZIP_LEVEL: Final = 6  # what servers and proxies use unless they are told otherwise


def main() -> int:
    """Measure, print, and put the table into RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-write", action="store_true", help="leave RESULTS.md alone")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(Path(folder) / "hub", [COLLECTION])
        plain = list(dataset.indicators(COUNT, seed=11, author=world.identity))
        signed = [dataset.signed(one, world.private_key) for one in plain]
        world.load(COLLECTION, signed)
        with running_hub(world, workers=1, threads=2) as target:
            rows = [*_hub(target), *_others(plain, signed)]
        rows += _pack(world, signed, Path(folder))
    text = _report(rows)
    print(text)
    if not given.no_write:
        section.put("wire", text)
    return 0


def _hub(target: Target) -> Iterator[tuple[str, int]]:
    for name, coding in (("zstd", "zstd"), ("gzip", "gzip"), ("plain", "identity")):
        yield f"hub, signed objects, TAXII page, {name}", _page(target, coding)


def _page(target: Target, coding: str) -> int:
    """Return the octets of one page with everything, as they came."""
    connection = http.client.HTTPConnection(target.host, target.port, timeout=60)
    headers = {**target.all_headers(), "Accept-Encoding": coding}
    connection.request("GET", f"{target.collections[COLLECTION]}?limit={COUNT}", headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200 or (answer.headers.get("Content-Encoding") or "identity") != coding:
        raise WrongAnswer(f"GET answered {answer.status}, packed with {answer.headers.get('Content-Encoding')}")
    return len(body)


def _others(plain: Sequence[dict[str, Any]], signed: Sequence[dict[str, Any]]) -> Iterator[tuple[str, int]]:
    for name, body in (
        ("TAXII JSON, unsigned objects", dataset.envelope(plain)),
        ("MISP JSON, unsigned, by misp-stix", _misp(plain)),
    ):
        yield f"{name}, plain", len(body)
        yield f"{name}, gzip", len(gzip.compress(body, GZIP_LEVEL))
    whole = zstandard.ZstdCompressor(level=19).compress(dataset.envelope(signed))
    yield "signed objects in one file, zstd at its slowest", len(whole)


def _pack(world: World, signed: Sequence[dict[str, Any]], folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the files for another hub: a pack adds a signed hop to each object, and introduces its author."""
    partner = make_world(folder / "partner", [])
    pair = (world.hub, partner.hub)
    for here, there in (pair, pair[::-1]):
        fingerprint = there.signing_key.public.kid
        hub_cards.adopt(
            here, LOCAL_OPERATOR, hub_cards.own(there, LOCAL_OPERATOR), handle="other", fingerprint=fingerprint
        )
        members.put(here, LOCAL_OPERATOR, SLUG, "other", {Right.READ, Right.WRITE})
    expires = world.hub.clock() + 3600 * 1_000_000
    mapping = GroupMapping((SLUG, SLUG), "both", "green")
    offer = agreements.offer(world.hub, LOCAL_OPERATOR, "other", groups=[mapping], hop_budget=3, expires=expires)
    agreed = agreements.accept(partner.hub, LOCAL_OPERATOR, offer.document)
    agreements.accept(world.hub, LOCAL_OPERATOR, agreed.document)
    uuid = collections.shown(world.hub, LOCAL_OPERATOR, SLUG, "indicators")[0].uuid
    replace(world, collections={"indicators": uuid}).load("indicators", signed)
    to, recipient = partner.hub, folder / "secrets"
    with world.hub.db.read() as tx:
        peer = carried.partner(tx, "other")
    key = pack_keys.read_recipient(world.hub, peer, pack_keys.document(to, LOCAL_OPERATOR, recipient))
    for name, sealing in (("pack for another hub, signed objects with their hops", None), ("the same, encrypted", key)):
        wanted = Wanted(sealing=None if sealing is None else Sealing(recipient=sealing))
        (written,) = packing.write(world.hub, LOCAL_OPERATOR, "other", folder, wanted, spool=folder)
        if written.objects != len(signed):
            raise WrongAnswer(f"{written.objects} of {len(signed)} indicators are in the pack")
        yield name, written.octets


def _misp(objects: Sequence[dict[str, Any]]) -> bytes:
    """Return the MISP event that misp-stix makes of the indicators."""
    from misp_stix_converter import ExternalSTIX2toMISPParser  # type: ignore[import-untyped] # it has no types
    from misp_stix_converter.tools.stix2_loading_helpers import (  # type: ignore[import-untyped] # it has no types
        load_stix2_content,
    )

    author = {
        "type": "identity",
        "spec_version": "2.1",
        "id": objects[0]["created_by_ref"],
        "created": objects[0]["created"],
        "modified": objects[0]["created"],
        "name": "CIRT AA",
        "identity_class": "organization",
    }
    parser = ExternalSTIX2toMISPParser()
    bundle = {"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "objects": [author, *objects]}
    parser.load_stix_bundle(load_stix2_content(bundle))
    parser.parse_stix_bundle(single_event=True)
    event = orjson.loads(parser.misp_event.to_json())
    found = len(event.get("Attribute", [])) + len(event.get("Object", []))
    if found < len(objects):
        raise WrongAnswer(f"misp-stix made {found} attributes and objects of {len(objects)} indicators")
    return orjson.dumps({"Event": event})


def _report(rows: Sequence[tuple[str, int]]) -> str:
    found = machine.describe()
    base = dict(rows)["TAXII JSON, unsigned objects, plain"]
    return "\n".join(
        [
            "## Octets on the wire",
            "",
            f"`python -m benchmarks.wire`, {found['date']}; bodies only, {COUNT:,} indicators of the same data set.",
            "Signed means with the author's inline signature, which no compression makes shorter.",
            "",
            "| what | octets | to plain TAXII JSON |",
            "| --- | ---: | ---: |",
            *(f"| {name} | {octets:,} | {octets / base:.2f} x |" for name, octets in rows),
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
