"""The unmodified TAXII data store of the OASIS stix2 library against a real hub over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from stix2 import (
    Filter,
    Indicator,
    IPv4Address,
    Malware,
    Relationship,
    TAXIICollectionSink,
    TAXIICollectionSource,
    TAXIICollectionStore,
    new_version,
)
from stix2.datastore import DataSourceError
from taxii2client.v21 import Collection

from tests.acceptance.open_group import OpenGroup, serving_open_group
from tests.acceptance.test_taxii2_client import Bearer

PATTERN = "[domain-name:value = 'update.example.com']"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenGroup]:
    with serving_open_group(tmp_path_factory.mktemp("stix2")) as running:
        yield running


@pytest.fixture(params=["basic", "bearer"])
def collection(request: pytest.FixtureRequest, hub: OpenGroup) -> Collection:
    ways: dict[str, dict[str, Any]] = {
        "basic": {"user": hub.username, "password": hub.password},
        "bearer": {"auth": Bearer(hub.token)},
    }
    return Collection(hub.collection_url, **ways[request.param])


def made(name: str = "beacon") -> Indicator:
    """Return a new indicator with a random id."""
    return Indicator(name=name, pattern=PATTERN, pattern_type="stix", indicator_types=["malicious-activity"])


def test_the_source_finds_what_the_sink_added(collection: Collection) -> None:
    sink, source = TAXIICollectionSink(collection), TAXIICollectionSource(collection)
    indicator = made()
    sink.add(indicator)
    found = source.get(indicator.id)
    assert found == indicator
    assert found.serialize() == indicator.serialize()


def test_a_list_of_every_kind_of_object_is_taken(collection: Collection) -> None:
    indicator, malware = made(), Malware(name="loader", is_family=True)
    relation = Relationship(indicator, "indicates", malware)
    address = IPv4Address(value="198.51.100.7")
    sent = [indicator, malware, relation, address]
    store = TAXIICollectionStore(collection)
    store.add(sent)
    assert [store.get(stix_object.id) for stix_object in sent] == sent
    assert store.related_to(indicator.id) == [malware]


def test_all_versions_come_back_and_the_last_is_the_one_got(collection: Collection) -> None:
    store = TAXIICollectionStore(collection)
    first = made()
    second = new_version(first, name="beacon, second look")
    store.add([first])
    store.add([second])
    assert store.get(first.id) == second
    assert sorted(found.modified for found in store.all_versions(first.id)) == [first.modified, second.modified]


def test_filters_of_the_library_reach_the_hub(collection: Collection) -> None:
    store = TAXIICollectionStore(collection)
    wanted, other = made("wanted"), made("other")
    store.add([wanted, other])
    by_id = store.query([Filter("id", "=", wanted.id)])
    assert by_id == [wanted]
    both = store.query([Filter("type", "=", "indicator"), Filter("id", "in", [wanted.id, other.id])])
    assert {found.id for found in both} == {wanted.id, other.id}
    assert (
        store.query([Filter("type", "=", "indicator"), Filter("name", "=", "wanted"), Filter("id", "=", other.id)])
        == []
    )


def test_added_after_of_the_library_reaches_the_hub(collection: Collection) -> None:
    source, sink = TAXIICollectionSource(collection), TAXIICollectionSink(collection)
    indicator = made()
    sink.add(indicator)
    found = source.query(
        [Filter("added_after", "=", datetime(2020, 1, 1, tzinfo=UTC)), Filter("id", "=", indicator.id)]
    )
    assert found == [indicator]


def test_a_collection_without_the_right_is_refused_by_the_library(hub: OpenGroup) -> None:
    user = {"user": hub.username, "password": hub.password}
    with pytest.raises(DataSourceError):
        TAXIICollectionSource(Collection(f"{hub.api_root}collections/{hub.unreadable}/", **user))
    with pytest.raises(DataSourceError):
        TAXIICollectionSink(Collection(f"{hub.api_root}collections/{hub.unwritable}/", **user))
