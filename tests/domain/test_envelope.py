"""What may be posted: an envelope, or a bundle; nothing without objects."""

from __future__ import annotations

import pytest

from hub.domain.canonical import Json
from hub.domain.envelope import read_envelope
from hub.errors import Unprocessable


@pytest.mark.parametrize(
    "value",
    [
        {"objects": [{"a": 1}, 2]},
        {"more": False, "objects": [{"a": 1}, 2], "x_foo_test_client": {"any": "thing"}},
        {"type": "bundle", "id": "bundle--11111111-1111-4111-8111-111111111111", "objects": [{"a": 1}, 2]},
    ],
    ids=["envelope", "envelope with custom properties", "bundle"],
)
def test_objects_come_out_in_order_and_unchecked(value: Json) -> None:
    assert read_envelope(value) == [{"a": 1}, 2]


@pytest.mark.parametrize(
    "value",
    [
        None,
        1,
        "text",
        [],
        [{"type": "indicator"}],
        {},
        {"more": False},
        {"objects": []},
        {"objects": {}},
        {"objects": None},
        {"objects": "x"},
        {"Objects": [{}]},
        {"type": "bundle"},
        {"type": "indicator", "objects": [{}]},
    ],
    ids=repr,
)
def test_what_brings_no_objects_cannot_be_processed(value: Json) -> None:
    with pytest.raises(Unprocessable):
        read_envelope(value)


def test_more_objects_than_a_status_can_list_are_refused() -> None:
    assert len(read_envelope({"objects": [1, 2, 3]}, max_objects=3)) == 3
    with pytest.raises(Unprocessable):
        read_envelope({"objects": [1, 2, 3, 4]}, max_objects=3)
