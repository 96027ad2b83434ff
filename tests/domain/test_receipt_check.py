"""A receipt proves what it says it proves: whatever is changed, left out, moved or exchanged is caught."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.canonical import jcs, parse
from hub.domain.keys import KeyRing
from hub.domain.receipt import Line, Receipt, signed
from hub.domain.receipt_check import Proved, Sent, check_receipt, check_supplement, read_receipt
from hub.domain.taxii_time import format_timestamp
from hub.errors import MalformedJson, ReceiptError
from tests.domain.signing import AUTHOR, AUTHOR_KEY, NOW, OTHER, OTHER_KEY, UUID, enrolled

HUB, SUBMITTER = AUTHOR, OTHER
BODY = b'{"objects": []}'
SUBMISSION = "2d086da7-4bdc-4f91-900e-d77486753710"
HUB_RING = KeyRing([enrolled()])


def digest(number: int) -> bytes:
    return hashlib.sha256(bytes([number])).digest()


def stix_id(number: int) -> str:
    return f"indicator--00000000-0000-4000-8000-{number:012d}"


LINES = [
    Line(0, stix_id(0), "2026-01-10T08:00:00.000Z", digest(0), "accepted", None, 7),
    Line(1, stix_id(1), "2026-01-10T08:00:00.000Z", digest(1), "refused", "tlp", 9),
    Line(2, stix_id(2), "2026-01-10T08:00:00.000Z", digest(2), "held", None, None),
    Line(3, stix_id(3), "2026-01-10T08:00:00.000Z", digest(3), "duplicate", None, 2),
    Line(4, stix_id(4), "2026-01-10T08:00:00.000Z", digest(4), "served-by-hub", None, None),
    Line(5, "objects[5]", "unversioned", digest(5), "refused", "id", 9),
    Line(6, stix_id(6), "2026-01-10T08:00:00.000Z", digest(6), "accepted", None, 8),
]
RECEIPT = Receipt(
    hub=HUB,
    submission=SUBMISSION,
    submitter=SUBMITTER,
    group="alpha",
    collection="472c94ae-3113-4e3e-a4dd-a9f4ac7471d4",
    received_at=NOW - 2_000_000,
    completed_at=NOW - 1_000_000,
    sha256=hashlib.sha256(BODY).digest(),
    lines=LINES,
)
SENT = [Sent("x" if number == 5 else stix_id(number), digest(number)) for number in range(7)]


def status_of(receipt: Receipt) -> dict[str, Any]:
    lines = [(line, {"id": line.stix_id, "version": line.version}) for line in receipt.lines]
    return {
        "id": receipt.submission,
        "status": "complete",
        "total_count": len(lines),
        "successes": [one for line, one in lines if line.decision != "refused"],
        "failures": [one | {"message": f"{line.rule}: why"} for line, one in lines if line.decision == "refused"],
    }


def made(receipt: Receipt = RECEIPT, key: Any = AUTHOR_KEY) -> Any:
    return parse(signed(receipt, key, uuid=UUID))


def checked(document: Any, **changes: Any) -> Proved:
    given_: dict[str, Any] = {
        "hub": HUB,
        "submitter": SUBMITTER,
        "body_sha256": hashlib.sha256(BODY).digest(),
        "sent": SENT,
        "status": status_of(RECEIPT),
        "now": NOW,
    }
    return check_receipt(document, changes.pop("ring", HUB_RING), **given_ | changes)


def refused(document: Any, field: str | None, **changes: Any) -> None:
    with pytest.raises(ReceiptError) as caught:
        checked(document, **changes)
    assert caught.value.field == field, caught.value.detail


def test_a_true_receipt_proves_all_of_it() -> None:
    proved = checked(made())
    assert proved.receipt == RECEIPT
    assert proved.attested.key.kid == AUTHOR_KEY.public.kid
    assert proved.attested.signed_at == RECEIPT.completed_at


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_any_changed_byte_is_caught(position: int, mask: int) -> None:
    octets = bytearray(signed(RECEIPT, AUTHOR_KEY, uuid=UUID))
    octets[position % len(octets)] ^= mask
    with pytest.raises((ReceiptError, MalformedJson)):
        checked(parse(bytes(octets)))


@given(st.permutations(range(len(LINES))), st.integers(1, len(LINES)))
def test_lines_that_are_missing_or_in_another_order_are_caught_whoever_signs_them(order: list[int], count: int) -> None:
    kept = order[:count]
    lines = [replace(LINES[number], index=index) for index, number in enumerate(kept)]
    document = made(replace(RECEIPT, lines=lines))
    if kept == list(range(len(LINES))):
        checked(document)
    else:
        with pytest.raises(ReceiptError):
            checked(document, status=status_of(replace(RECEIPT, lines=lines)))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"submission": SUBMISSION.replace("2d", "3d")}, "submission"),
        ({"submitter": HUB}, "submitter"),
        ({"hub": OTHER}, "hub"),
        ({"sha256": digest(99)}, "sha256"),
        ({"lines": LINES[:-1]}, "objects"),
        ({"lines": [*LINES[:-1], replace(LINES[-1], sha256=digest(99))]}, "objects[6].sha256"),
        ({"lines": [*LINES[:-1], replace(LINES[-1], sha256=None)]}, "objects[6].sha256"),
        ({"lines": [*LINES[:-1], replace(LINES[-1], stix_id=stix_id(99))]}, "objects[6].id"),
        ({"lines": [*LINES[:-1], replace(LINES[-1], stix_id="objects[6]")]}, "objects[6].id"),
        ({"lines": [*LINES[:-1], replace(LINES[-1], log_index=None)]}, "objects.log_index"),
        ({"lines": [*LINES[:-1], replace(LINES[-1], log_index=7)]}, "objects.log_index"),
        ({"lines": [*LINES[:-1], replace(LINES[-1], log_index=9)]}, "objects.log_index"),
        ({"lines": [*LINES[:-1], replace(LINES[-1], rule="tlp")]}, "objects[6].rule"),
        ({"lines": [LINES[0], LINES[1], replace(LINES[2], log_index=10), *LINES[3:]]}, "objects[2].log_index"),
        ({"lines": [LINES[0], replace(LINES[1], log_index=10), *LINES[2:]]}, "objects.log_index"),
        ({"lines": [LINES[0], replace(LINES[1], rule=None), *LINES[2:]]}, "objects[1].rule"),
        ({"lines": [*LINES[:-1], replace(LINES[-1], decision="refused", rule="tlp", log_index=9)]}, "successes"),
        ({"lines": [LINES[0], replace(LINES[1], decision="held", rule=None, log_index=None), *LINES[2:]]}, "successes"),
        ({"lines": [LINES[0], replace(LINES[1], rule="size"), *LINES[2:]]}, "failures"),
        ({"lines": [replace(LINES[0], version="2026-01-10T08:00:01.000Z"), *LINES[1:]]}, "successes"),
        ({"supplements": digest(1)}, "supplements"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_hub_that_signs_something_else_is_caught(changes: dict[str, Any], field: str) -> None:
    refused(made(replace(RECEIPT, **changes)), field)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda status: status["successes"].pop(), "successes"),
        (lambda status: status["successes"].reverse(), "successes"),
        (lambda status: status["successes"].append(status["failures"].pop()), "successes"),
        (lambda status: status["failures"].pop(), "failures"),
        (lambda status: status["failures"][0].pop("message"), "failures"),
        (lambda status: status["failures"][0].update(message="ownership: why"), "failures"),
        (lambda status: status.update(total_count=8), "status"),
        (lambda status: status.update(status="pending"), "status"),
        (lambda status: status.update(id=SUBMISSION.replace("2d", "3d")), "submission"),
    ],
    ids=["success-gone", "order", "refusal-as-success", "refusal-gone", "no-rule", "rule", "count", "pending", "id"],
)
def test_a_status_that_says_something_else_is_caught(change: Callable[[Any], Any], field: str) -> None:
    status = copy.deepcopy(status_of(RECEIPT))
    change(status)
    refused(made(), field, status=status)


@pytest.mark.parametrize(
    ("ring", "key", "field"),
    [
        (KeyRing([]), AUTHOR_KEY, "signatures.public_key"),
        (HUB_RING, OTHER_KEY, "signatures.public_key"),
        (KeyRing([enrolled(identity=OTHER)]), AUTHOR_KEY, "signatures.public_key"),
        (KeyRing([enrolled(valid_until=NOW - 1_500_000)]), AUTHOR_KEY, "signatures.public_key"),
        (KeyRing([enrolled(valid_from=NOW)]), AUTHOR_KEY, "signatures.public_key"),
        (
            KeyRing([enrolled(revoked_at=NOW - 500_000, revocation_reason="compromised")]),
            AUTHOR_KEY,
            "signatures.public_key",
        ),
    ],
    ids=["no-key", "another-key", "another's-key", "expired", "not-yet-valid", "compromised"],
)
def test_a_key_that_is_not_the_hubs_at_the_time_is_caught(ring: KeyRing, key: Any, field: str) -> None:
    refused(made(key=key), field, ring=ring)


def test_a_key_that_was_retired_since_still_counts() -> None:
    retired = enrolled(revoked_at=NOW - 500_000, revocation_reason="retired", valid_until=NOW - 500_000)
    checked(made(), ring=KeyRing([retired]))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda document: document.pop("signatures"), None),
        (lambda document: document.update(signatures=[]), "signatures"),
        (lambda document: document.update(signatures=["x"]), "signatures"),
        (lambda document: document["signatures"][0].update(signee=OTHER), "signatures.signee"),
        (lambda document: document["signatures"][0].update(revoked=True), "signatures"),
        (lambda document: document["signatures"][0].update(created="2026-01-10T00:00:00.000Z"), "signatures.modified"),
        (lambda document: document["signatures"][0].pop("id"), "signatures.id"),
        (lambda document: document.update(format="2"), "format"),
        (lambda document: document.update(type="x"), "type"),
        (lambda document: document.update(more=1), None),
        (lambda document: document.update(objects={}), "objects"),
        (lambda document: document.update(hub=1), "hub"),
        (lambda document: document.update(sha256="AB" * 32), "sha256"),
        (lambda document: document.update(received_at="2026-01-10T00:00:00Z"), "received_at"),
        (lambda document: document["objects"].append(1), "objects[7]"),
        (lambda document: document["objects"][0].update(decision=[]), "objects[0].decision"),
        (lambda document: document["objects"][0].update(decision="lost"), "objects[0].decision"),
        (lambda document: document["objects"][0].update(log_index=True), "objects[0].log_index"),
        (lambda document: document["objects"][0].update(log_index=-1), "objects[0].log_index"),
        (lambda document: document["objects"][0].update(more=1), "objects[0]"),
    ],
)
def test_another_form_is_named(change: Callable[[Any], Any], field: str | None) -> None:
    document = made()
    change(document)
    refused(document, field)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@given(ANYTHING, st.sampled_from(sorted(json.loads(signed(RECEIPT, AUTHOR_KEY, uuid=UUID)))))
def test_no_value_in_any_place_is_more_than_refused(value: Any, name: str) -> None:
    document = made()
    if document[name] == value:
        return
    document[name] = value
    with pytest.raises(ReceiptError):
        checked(document)


def supplement(**changes: Any) -> Receipt:
    line = replace(LINES[2], index=0, decision="accepted", log_index=20)
    first = hashlib.sha256(jcs(made())).digest()
    return replace(RECEIPT, completed_at=NOW - 500_000, lines=[line], supplements=first, **changes)


def test_a_supplement_proves_what_became_of_what_was_held() -> None:
    proved = check_supplement(made(supplement()), HUB_RING, first=made(), now=NOW)
    assert [line.log_index for line in proved.receipt.lines] == [20]
    assert format_timestamp(proved.receipt.completed_at) > format_timestamp(RECEIPT.completed_at)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"supplements": digest(1)}, "supplements"),
        ({"supplements": None}, "supplements"),
        ({"submission": SUBMISSION.replace("2d", "3d")}, "submission"),
        ({"submitter": HUB}, "submitter"),
        ({"sha256": digest(1)}, "sha256"),
        ({"lines": [LINES[0]]}, "objects[0]"),
        ({"lines": [replace(LINES[2], index=0)]}, "objects[0]"),
        ({"lines": [replace(LINES[2], index=0, decision="accepted")]}, "objects.log_index"),
        ({"lines": [replace(LINES[2], index=0, decision="accepted", sha256=digest(8))]}, "objects[0]"),
        ({"hub": OTHER}, "hub"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_supplement_of_something_else_is_caught(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ReceiptError) as caught:
        check_supplement(made(replace(supplement(), **change)), HUB_RING, first=made(), now=NOW)
    assert caught.value.field == field


@pytest.mark.parametrize("value", [None, [], "x", 1, {}, {"type": "x-cybex-receipt"}])
def test_what_is_no_receipt_is_refused(value: Any) -> None:
    with pytest.raises(ReceiptError):
        read_receipt(value)
