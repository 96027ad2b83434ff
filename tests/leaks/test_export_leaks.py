"""No export tells anybody anything about an object he may not read, in any format, for every case of the matrix."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import pytest
import structlog

from hub.exports.formats import FORMATS
from hub.store.database import Database
from tests.leaks.matrix import Matrix, readers_of
from tests.leaks.test_leak_matrix import Visitors, _filled, everybody


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    """The world of the leak matrix; what each database shows to whom is compared on its pages."""
    with contextlib.closing(Database.open(f"sqlite:///{tmp_path_factory.mktemp('leaks') / 'hub.db'}")) as database:
        yield _filled(database)


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_shows_each_reader_his_own_objects_and_nothing_of_others(name: str, matrix: Matrix) -> None:
    visitors = Visitors(matrix)
    for group, alias in matrix.refs:
        cases = [one for one in matrix.cases if (one.group, one.alias) == (group, alias)]
        for handle in everybody():
            answer = visitors.call(handle, "GET", f"/exports/groups/{group}/{name}?collection={alias}")
            assert (answer.status_code == 200) == (handle in readers_of(group, alias)), (handle, answer.status_code)
            seen = answer.text + str(answer.headers)
            hidden = [one for one in cases if handle not in one.readers]
            leaked = [one.name for one in hidden if one.stix_id in seen or one.text in seen]
            assert not leaked, (handle, leaked[:3])
            if name == "stix" and answer.status_code == 200:
                ids = {one["id"] for one in json.loads(answer.data).get("objects", [])}
                expected = {one.stix_id for one in cases if handle in one.readers}
                assert {one for one in ids if one.startswith("indicator")} == expected
            if name == "domain" and answer.status_code == 200:
                counted = answer.headers["X-Cybex-Entries"], answer.headers["X-Cybex-Left-Out"]
                readable = sum(handle in one.readers for one in cases)
                assert sum(map(int, counted)) <= readable, (handle, counted)


def test_a_file_of_all_collections_holds_what_each_of_them_shows(matrix: Matrix) -> None:
    visitors = Visitors(matrix)
    for group in ("alpha", "bravo"):
        for handle in everybody():
            answer = visitors.call(handle, "GET", f"/exports/groups/{group}/stix")
            if answer.status_code != 200:
                continue
            ids = {one["id"] for one in json.loads(answer.data).get("objects", []) if one["id"].startswith("indicator")}
            assert ids == {one.stix_id for one in matrix.cases if one.group == group and handle in one.readers}
