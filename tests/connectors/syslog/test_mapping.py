"""One alert is one message, whatever stands in the object, and it reads back as what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.syslog.mapping import Origin, framed, message
from hub.domain import alert, tlp
from hub.domain.alert import Alert
from hub.domain.subscription import Match
from tests.connectors.conftest import START
from tests.connectors.feed_world import check_golden, indicator
from tests.connectors.syslog.rfc5424 import Malformed, frames, parse

GOLDEN = Path(__file__).parent / "golden"
ORIGIN = Origin(host="hub7")


def _alert(level: tlp.Level = "green", **properties: object) -> Alert:
    obj = indicator(labels=['rsit:fraud="phishing"'], confidence=60, **properties)
    prefix = "https://hub.example/console/objects/"
    return alert.matched(obj, level, (Match("networks", "192.0.2.0/24"),), content_up_to="amber", link_prefix=prefix)


@pytest.mark.parametrize("level", tlp.LEVELS)
def test_the_messages_are_these(level: tlp.Level) -> None:
    check_golden(GOLDEN / f"{level.replace('+', '-')}.json", message(_alert(level), ORIGIN, START).decode())


def test_a_message_reads_back() -> None:
    found = parse(message(_alert(), ORIGIN, START))
    assert (found.pri, found.version, found.timestamp) == (133, 1, "2026-11-22T12:00:00.000000Z")
    assert (found.host, found.app_name, found.procid, found.msgid) == ("hub7", "cybex", "-", "MATCH")
    ((name, parameters),) = found.data
    assert name == "cybex@32473"
    assert dict(parameters) == {
        "id": indicator()["id"],
        "event": "matched",
        "uuid": _alert().uuid,
        "tlp": "TLP:GREEN",
        "type": "indicator",
        "version": "2026-01-03T03:04:05.678Z",
        "networks": "192.0.2.0/24",
        "confidence": "60",
        "link": f"https://hub.example/console/objects/{indicator()['id']}",
        "name": "Secret name 1",
        "label": 'rsit:fraud="phishing"',
    }
    assert found.text == "TLP:GREEN indicator: Secret name 1 (networks)"


@pytest.mark.parametrize("level", ["amber+strict", "red"])
def test_what_is_withheld_is_not_in_the_message(level: tlp.Level) -> None:
    octets = message(_alert(level), ORIGIN, START)
    assert parse(octets).msgid == "WITHHELD"
    assert not any(word in octets for word in (b"Secret", b"phishing", b"192.0.2", b'type="'))


def test_a_withdrawal_is_informational() -> None:
    found = parse(message(alert.withdrawn(indicator()["id"], link_prefix=""), ORIGIN, START))
    assert (found.pri, found.msgid) == (16 * 8 + 6, "WITHDRAWN")


_HOSTILE = st.text(st.sampled_from('a"\\] [=\n\r\x00\x1b\x7f\x85\u2028\u202e\ufeff<>1é\U0001f600-'), max_size=300)
_ANY = st.one_of(_HOSTILE, st.text(max_size=300))


@settings(max_examples=100, deadline=None)
@given(
    name=_ANY,
    labels=st.lists(_ANY, max_size=30),
    type_=_ANY,
    watched=st.lists(_ANY, max_size=5),
    host=_ANY,
    link=_ANY,
    longest=st.integers(480, 4_096),
    event=st.sampled_from(["matched", "withdrawn"]),
    withheld=st.booleans(),
)
def test_any_text_gives_one_well_formed_message_of_one_line(
    name: str,
    labels: list[str],
    type_: str,
    watched: list[str],
    host: str,
    link: str,
    longest: int,
    event: alert.Event,
    withheld: bool,
) -> None:
    made = Alert(
        event=event,
        stix_id=indicator()["id"],
        version="2026-01-03T03:04:05.678Z",
        level="green",
        type=type_,
        name=name,
        labels=tuple(labels),
        matches=tuple(Match("keywords", one) for one in watched),
        withheld=withheld,
        link=link,
    )
    octets = message(made, Origin(host=host), START, longest=longest)
    assert len(octets) <= longest
    assert not any(byte < 32 or byte == 127 for byte in octets)
    text = octets.decode("utf-8")
    assert len(text.splitlines()) == 1
    found = parse(octets)
    assert found.app_name == "cybex"
    assert found.text is not None
    ((element, parameters),) = found.data
    assert element == "cybex@32473"
    assert parameters[0] == ("id", indicator()["id"])
    assert dict(parameters)["event"] == event
    if withheld:
        assert {key for key, _ in parameters} <= {"id", "event", "uuid", "tlp", "link"}
    stream = framed(octets) + framed(octets)
    assert frames(stream) == [octets, octets]


def test_a_long_message_loses_text_and_whole_parameters() -> None:
    octets = message(_alert(name="é" * 200), ORIGIN, START, longest=480)
    assert len(octets) <= 480
    found = parse(octets)
    assert dict(found.data[0][1])["id"] == indicator()["id"]
    assert "name" not in dict(found.data[0][1])


@pytest.mark.parametrize(
    "octets",
    [
        b"<192>1 - - - - - -",
        b"<013>1 - - - - - -",
        b"<13>1 - - - - -",
        b"<13>1 2026-13-01T00:00:00Z - - - - -",
        b'<13>1 - - - - - [a b="c]"]',
        b'<13>1 - - - - - [a b="c"',
        b"<13>1 - - - - - - no mark",
    ],
)
def test_the_judge_itself_is_strict(octets: bytes) -> None:
    with pytest.raises(Malformed):
        parse(octets)
