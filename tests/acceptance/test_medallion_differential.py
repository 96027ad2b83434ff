"""The hub and medallion, the reference server, are sent the same requests; every difference has a known reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.acceptance.differential_answers import Answer, Server, answers
from tests.acceptance.differential_requests import STEPS, Step
from tests.acceptance.differential_table import DIFFERENCES, Difference
from tests.acceptance.open_group import ALIAS, SLUG, OpenGroup, serving_open_group
from tests.foreign.medallion_server import MedallionCollection, running_medallion


@dataclass(frozen=True, slots=True)
class Both:
    """The answers of both ends, by the name of the step."""

    hub: dict[str, Answer]
    medallion: dict[str, Answer]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The answers to all steps: each builds on the ones before it, so they are sent once."""
    folder: Path = tmp_path_factory.mktemp("differential")
    with serving_open_group(folder) as hub:
        collections = [
            MedallionCollection(uuid, uuid, can_read=uuid != hub.unreadable, can_write=uuid != hub.unwritable)
            for uuid in hub.all_collections
        ]
        with running_medallion(folder / "medallion", collections, api_root=SLUG) as other:
            ours = _server(hub, hub.base_url, hub.username, hub.password)
            theirs = _server(hub, other.base_url, other.username, other.password)
            yield Both(answers(ours, STEPS), answers(theirs, STEPS))


def _server(hub: OpenGroup, base_url: str, username: str, password: str) -> Server:
    address = urlsplit(base_url)
    return Server(
        host=str(address.hostname),
        port=int(address.port or 0),
        username=username,
        password=password,
        api_root=SLUG,
        uuid=hub.collection,
        alias=ALIAS,
        unreadable=hub.unreadable,
        unwritable=hub.unwritable,
    )


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name.replace(" ", "-"))
def test_every_difference_to_medallion_has_a_known_reason_and_still_occurs(both: Both, step: Step) -> None:
    ours, theirs = both.hub[step.name], both.medallion[step.name]
    known = DIFFERENCES.get(step.name, Difference())
    shown = f"\nhub       {ours.status} {ours.headers} {ours.raw[:600]!r}"
    shown += f"\nmedallion {theirs.status} {theirs.headers} {theirs.raw[:600]!r}"
    assert ours.differs_from(theirs) == known.parts, shown
    if "status" in known.parts:
        assert (ours.status, theirs.status) == (known.hub, known.medallion), shown


def test_every_known_difference_belongs_to_a_request_and_names_a_rule() -> None:
    assert set(DIFFERENCES) <= {step.name for step in STEPS}
    for difference in DIFFERENCES.values():
        assert difference.parts
        assert difference.why
        assert difference.ids
        assert all(identifier[:2] in ("T-", "M-", "A-", "K-") for identifier in difference.ids)


def test_the_hub_never_answers_a_server_error_or_a_page(both: Both) -> None:
    for name, answer in both.hub.items():
        assert answer.status < 500, name
        assert answer.content_type in ("application/taxii+json;version=2.1", ""), name
