"""A link that is carried by hand ends where a live one does: files, receipts, gaps, replays, forgeries, crashes."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub.domain.canonical import jcs
from hub.domain.pack import Pack, read_manifest, signed_pack
from hub.domain.pack_file import MAGIC, PackDamaged, Source, bodies, head, packed, part_of, read_head
from hub.domain.retraction import EXTENSION_ID
from hub.errors import Conflict, CybexError, Forbidden, InvalidRequest, ReceiptError, SignatureError
from hub.services import agreements, keys, links, pack_keys
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.auditing.run import Audit
from hub.services.relay import incoming, pack_answers, packing, unpacking
from hub.services.relay.pack_output import PackFile, Sealing
from hub.services.relay.packing import Wanted, Written
from hub.services.relay.unpacking import PackGap, Taken
from hub.store import dead_letters as letter_store
from tests.services.relay.world import Site, Ticking, connect, database_at

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tested here asks nothing of the database; test_chain and test_withdrawals run on both."""
    return sqlite_url


@dataclass
class Courier:
    """Who carries files between hubs, in a folder."""

    folder: Path

    def pack(self, one: Site, other: Site, **wanted: Any) -> list[Written]:
        """Have one hub write what the other may have."""
        return packing.write(one.hub, OPERATOR, f"hub-{other.name}", self.folder, Wanted(**wanted), spool=self.folder)

    def unpack(self, other: Site, file: Path, **how: Any) -> Taken:
        """Have a hub take a pack, and write its receipt beside it."""
        taken = unpacking.take(other.hub, OPERATOR, PackFile(file, **how))
        receipt_of(file).write_bytes(b"".join(unpacking.receipt_octets(other.hub, taken)))
        return taken

    def back(self, one: Site, file: Path) -> pack_answers.Confirmed:
        """Have the giving hub take the receipt."""
        return pack_answers.take(one.hub, OPERATOR, PackFile(receipt_of(file)))

    def carry(self, one: Site, other: Site, **wanted: Any) -> int:
        """Carry everything there and the receipts back; return how many files that took."""
        written = self.pack(one, other, **wanted)
        for one_file in written:
            self.unpack(other, one_file.path)
            self.back(one, one_file.path)
        return len(written)


def receipt_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.receipt")


@pytest.fixture
def courier(tmp_path: Path) -> Courier:
    folder = tmp_path / "stick"
    folder.mkdir()
    return Courier(folder)


@pytest.fixture
def pair(chain: tuple[Site, Site, Site]) -> tuple[Site, Site]:
    """A giving hub on SQLite, and a receiving one on each database."""
    return chain[0], chain[1]


def positions(site: Site, direction: str) -> set[tuple[int, str]]:
    with site.hub.db.read() as tx:
        rows = tx.execute(
            text("select collection_id, position from link_position where direction = :direction"),
            {"direction": direction},
        )
        return {(row[0], row[1]) for row in rows}


def stored(site: Site) -> dict[str, int]:
    """Return how many rows the tables hold that a pack fills."""
    names = ("entry", "relay_path", "relay_batch", "submission", "pack", "tombstone", "link_position")
    with site.hub.db.read() as tx:
        return {name: tx.execute(text(f"select count(*) from {name}")).scalar_one() for name in names}  # noqa: S608 # of our own


def state(site: Site, author: str) -> dict[str, Any]:
    """Return what a hub has in the end: bytes, the hubs of each path, what was withdrawn."""
    with site.hub.db.read() as tx:
        tombstones = tx.execute(text("select stix_id from tombstone order by stix_id")).scalars().all()
        hops = tx.execute(text("select stix_id, version_key, hops from relay_path order by 1, 2")).all()
        lines = tx.execute(text("select receipt from relay_batch where direction = 'in' order by id")).scalars().all()
    receipts = [
        (line["id"], line["version"], line["sha256"], line["decision"])
        for receipt in lines
        for line in json.loads(bytes(receipt))["objects"]
    ]
    return {
        "read": sorted(jcs(one) for one in site.seen(author) if EXTENSION_ID not in one.get("extensions", {})),
        "paths": [(row[0], row[1], [hop["hub"] for hop in json.loads(bytes(row[2]))]) for row in hops],
        "tombstones": list(tombstones),
        "receipts": sorted(set(receipts)),
    }


def test_what_is_carried_ends_as_what_goes_over_a_line(
    clock: Ticking, tmp_path: Path, pair: tuple[Site, Site], courier: Courier
) -> None:
    one, by_hand = pair
    live = Site.make("live", database_at(tmp_path / "live.db"), clock, slug="regional")
    live.cirt("cc")
    connect(one, live)
    first, second = one.share("aa", one.incident("aa"), one.incident("aa"))
    one.share("bb", one.incident("bb", "amber"), one.incident("bb", "clear"))
    assert courier.carry(one, by_hand) == 1
    one.push(live)
    unsigned = {name: value for name, value in first.items() if name not in ("signatures", "extensions")}
    one.share("aa", {**unsigned, "modified": one.stamp(), "name": "More is known"})
    one.withdraw("aa", second["id"])
    assert courier.carry(one, by_hand) == 1
    one.push(live)
    ours, theirs = state(by_hand, "cc"), state(live, "cc")
    swapped = [(stix_id, key, [one.identity for _ in hubs]) for stix_id, key, hubs in theirs["paths"]]
    assert [(stix_id, key, hubs) for stix_id, key, hubs in ours["paths"]] == swapped
    notices = {line for line in ours["receipts"] if line[0].startswith("note--")}
    for name in ("read", "tombstones"):
        assert ours[name] == theirs[name], name
    assert len(ours["receipts"]) == len(theirs["receipts"])
    same = {line for line in theirs["receipts"] if not line[0].startswith("note--")}
    assert set(ours["receipts"]) - notices == same
    assert ours["tombstones"] == [second["id"]]
    (asking,) = courier.pack(one, by_hand)  # what has become of the withdrawal
    assert (asking.objects, asking.batches) == (0, 0)
    assert positions(one, "out") >= positions(by_hand, "in")


def test_positions_move_when_the_receipt_comes_back_and_not_before(pair: tuple[Site, Site], courier: Courier) -> None:
    one, two = pair
    one.share("aa", one.incident("aa"))
    (lost,) = courier.pack(one, two)
    (again,) = courier.pack(one, two)
    assert (lost.number, again.number, lost.objects, again.objects) == (1, 2, 1, 1)
    assert positions(one, "out") == set()
    taken = courier.unpack(two, again.path)
    assert (taken.accepted, taken.skipped) == (1, (1,))
    with pytest.raises(Conflict, match="pack 2 has been taken"):
        courier.unpack(two, lost.path)
    assert positions(one, "out") == set()
    assert courier.back(one, again.path).objects == 1
    assert {position for _, position in positions(one, "out")} == {position for _, position in positions(two, "in")}
    assert courier.pack(one, two) == []


def test_a_replayed_pack_changes_nothing_and_has_the_same_receipt(pair: tuple[Site, Site], courier: Courier) -> None:
    one, two = pair
    one.share("aa", one.incident("aa"))
    (written,) = courier.pack(one, two)
    courier.unpack(two, written.path)
    receipt, before = receipt_of(written.path).read_bytes(), stored(two)
    taken = courier.unpack(two, written.path)
    assert (taken.again, stored(two), receipt_of(written.path).read_bytes()) == (True, before, receipt)
    assert not courier.back(one, written.path).again
    at_one = stored(one)
    assert courier.back(one, written.path).again
    assert stored(one) == at_one


def test_a_pack_that_stands_upon_one_that_lacks_is_refused_and_names_it(
    pair: tuple[Site, Site], courier: Courier
) -> None:
    one, two = pair
    packs = []
    for _ in range(3):
        one.share("aa", one.incident("aa"))
        packs += courier.pack(one, two, assume_delivered=True)
    assert [one.number for one in packs] == [1, 2, 3]
    assert [one.objects for one in packs] == [1, 1, 1]
    courier.unpack(two, packs[0].path)
    before = stored(two)
    with pytest.raises(PackGap, match="take pack 2 first"):
        courier.unpack(two, packs[2].path)
    assert stored(two) == before
    for each in packs[1:]:
        courier.unpack(two, each.path)
    assert len(two.ids("cc")) == 3
    for each in reversed(packs):  # receipts may come in any order
        courier.back(one, each.path)
    assert courier.pack(one, two) == []


def test_a_hub_that_was_begun_anew_is_given_everything(
    clock: Ticking, tmp_path: Path, pair: tuple[Site, Site], courier: Courier
) -> None:
    one, two = pair
    one.share("aa", one.incident("aa"))
    courier.carry(one, two)
    with two.hub.db.write() as tx:  # as a backup from before would be
        tx.execute(text("delete from pack"))
        tx.execute(text("delete from link_position"))
    one.share("aa", one.incident("aa"))
    (written,) = courier.pack(one, two)
    with pytest.raises(PackGap, match="--everything"):
        courier.unpack(two, written.path)
    assert courier.carry(one, two, everything=True) == 1
    assert len(two.ids("cc")) == 2


def test_a_giving_hub_that_was_restored_goes_on_with_another_number(pair: tuple[Site, Site], courier: Courier) -> None:
    one, two = pair
    one.share("aa", one.incident("aa"))
    courier.carry(one, two)
    with one.hub.db.write() as tx:  # as a backup from before would be
        for table in ("pack", "link_position", "relay_sent", "relay_batch"):
            tx.execute(text(f"delete from {table}"))  # noqa: S608 # of our own
    one.share("aa", one.incident("aa"))
    (written,) = courier.pack(one, two)
    before = stored(two)
    with pytest.raises(Conflict, match="--number 2 --everything"):
        courier.unpack(two, written.path)
    assert stored(two) == before
    assert courier.carry(one, two, number=2, everything=True) == 1
    assert len(two.ids("cc")) == 2


def test_a_pack_that_stands_upon_another_than_was_taken_is_refused(pair: tuple[Site, Site], courier: Courier) -> None:
    one, two = pair
    one.share("aa", one.incident("aa"))
    courier.carry(one, two)
    one.share("aa", one.incident("aa"))
    (written,) = courier.pack(one, two)
    with two.hub.db.write() as tx:
        tx.execute(text("update pack set sha256 = :other"), {"other": b"x" * 32})
    before = stored(two)
    with pytest.raises(PackGap, match="another pack 1"):
        courier.unpack(two, written.path)
    assert stored(two) == before


def test_what_is_large_is_split_and_indicators_go_first(pair: tuple[Site, Site], courier: Courier) -> None:
    one, two = pair
    incidents = [one.incident("aa", description=str([uuid.uuid4() for _ in range(20)])) for _ in range(40)]
    one.share("aa", *incidents)
    stamp = one.stamp()
    made = one.signed("aa", *({
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--{'0' * 8}-0000-4000-8000-{number:012}",
        "created_by_ref": one.identities["aa"], "created": stamp, "modified": stamp, "name": f"Address {number}",
        "pattern": f"[ipv4-addr:value = '198.51.100.{number}']", "pattern_type": "stix", "valid_from": stamp,
        "object_marking_refs": incidents[0]["object_marking_refs"],
    } for number in range(20)))  # fmt: skip
    assert not one.post("aa", *made, alias="indicators").failures
    written = courier.pack(one, two, max_bytes=24_000)
    assert len(written) > 2
    assert all(each.octets == each.path.stat().st_size <= 24_000 for each in written)
    courier.unpack(two, written[0].path)
    assert len(two.ids("cc", "indicators")) == 20
    with pytest.raises(PackGap):
        courier.unpack(two, written[2].path)
    for each in written[1:]:
        courier.unpack(two, each.path)
    assert (len(two.ids("cc")), len(two.ids("cc", "indicators"))) == (40, 20)
    for each in written:
        courier.back(one, each.path)
    assert courier.pack(one, two) == []


def test_a_pack_begins_where_the_other_hub_is_although_the_line_has_passed_over_more(
    pair: tuple[Site, Site], courier: Courier
) -> None:
    one, two = pair
    one.share("aa", one.incident("aa"))
    one.push(two)
    one.share("aa", one.incident("aa", "amber"))
    one.push(two)  # its own position goes ahead; that of the other hub does not
    one.share("aa", one.incident("aa"))
    (written,) = courier.pack(one, two)
    assert courier.unpack(two, written.path).accepted == 1


def test_a_line_and_packs_may_be_mixed(pair: tuple[Site, Site], courier: Courier) -> None:
    one, two = pair
    one.share("aa", one.incident("aa"))
    one.push(two)
    one.share("aa", one.incident("aa", "amber"))  # the line passes over it: its own position goes ahead
    one.push(two)
    one.share("aa", one.incident("aa"))
    (written,) = courier.pack(one, two)
    one.share("aa", one.incident("aa"))
    one.push(two)
    taken = courier.unpack(two, written.path)
    assert (taken.accepted, taken.duplicates) == (0, 1)
    courier.back(one, written.path)
    one.share("aa", one.incident("aa"))
    assert one.push(two).objects == 1
    assert len(two.ids("cc")) == 4
    two.pull(one)
    assert courier.pack(one, two) == []


def test_a_withdrawal_and_what_became_of_it_are_carried_there_and_back(
    pair: tuple[Site, Site], courier: Courier
) -> None:
    one, two = pair
    (gone,) = one.share("aa", one.incident("aa"))
    courier.carry(one, two)
    one.withdraw("aa", gone["id"])
    courier.carry(one, two)
    assert two.ids("cc") == set()
    with one.hub.db.read() as tx:
        reports = tx.execute(text("select holders, removed from relay_reach where direction = 'in'")).all()
    assert len(reports) == 1


def test_a_revoked_key_is_carried_without_any_object(pair: tuple[Site, Site], courier: Courier) -> None:
    one, two = pair
    one.share("aa", one.incident("aa"))
    courier.carry(one, two)
    kid = one.keys["aa"].public.kid
    keys.revoke(one.hub, OPERATOR, "aa", kid, reason="compromised")
    assert courier.carry(one, two) == 1
    with two.hub.db.read() as tx:
        reason = tx.execute(
            text("select revocation_reason from signing_key where kid = :kid"), {"kid": kid}
        ).scalar_one()
    assert reason == "compromised"
    assert courier.pack(one, two) == []


def test_a_dead_letter_that_is_sent_again_goes_with_the_next_pack(pair: tuple[Site, Site], courier: Courier) -> None:
    one, two = pair
    (made,) = one.share("aa", one.incident("aa"))
    courier.carry(one, two)
    with one.hub.db.write() as tx:
        row = tx.execute(text("select collection_id, stix_id, sha256 from relay_sent")).one()
        letter_store.add(
            tx, uuid="0b9a5c1e-6c0d-4a53-8f0b-4f1f1f5f6c7a", peer_id=one.peer("hub-two").id, collection_id=row[0],
            direction="out", stix_id=row[1], version=made["modified"], sha256=bytes(row[2]), rule="transfer",
            reason="", now=one.hub.clock(),
        )  # fmt: skip
        letter_store.replay(tx, [one_letter.id for one_letter in letter_store.of_peer(tx, None, limit=9)])
    for _ in range(2):  # a pack that is lost settles nothing
        (written,) = courier.pack(one, two)
        assert written.objects == 1
    assert courier.unpack(two, written.path).duplicates == 1
    courier.back(one, written.path)
    assert courier.pack(one, two) == []
    with one.hub.db.read() as tx:
        assert letter_store.of_peer(tx, None, limit=9) == []


class PowerFailureError(Exception):
    """The machine stops here."""


@pytest.mark.parametrize("after", [1, 2, 3], ids=["after one batch", "after two", "before the receipt"])
def test_an_unpack_that_was_ended_goes_on_where_it_was(pair: tuple[Site, Site], courier: Courier, after: int) -> None:
    one, two = pair
    for _ in range(3):
        one.share("aa", one.incident("aa"), one.incident("aa"))
    (written,) = packs_of_small_batches(one, two, courier)
    assert written.batches == 3

    def fails(done: int, _total: int) -> None:
        if done == after:
            raise PowerFailureError

    with pytest.raises(PowerFailureError):
        unpacking.take(two.hub, OPERATOR, PackFile(written.path), told=fails)
    assert stored(two)["pack"] == 0
    assert stored(two)["relay_batch"] == after
    taken = courier.unpack(two, written.path)
    assert taken.accepted == 6
    assert len(two.ids("cc")) == 6
    assert stored(two)["relay_batch"] == written.batches
    courier.back(one, written.path)
    assert courier.pack(one, two) == []


def packs_of_small_batches(one: Site, two: Site, courier: Courier) -> list[Written]:
    """Write one file with several batches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hub.domain.limits.RELAY_BATCH_OBJECTS", 2)
        return courier.pack(one, two)


def rewritten(file: Path, change: Callable[[list[bytes], Pack], tuple[list[bytes], Pack]], key: Any) -> bytes:
    """Return a pack that somebody has taken apart and put together again, signed with a key."""
    with file.open("rb") as source:
        said, _ = read_manifest(read_head(source))
        assert isinstance(said, Pack)
        parts, made = change(list(bodies(source, said.parts)), said)
    manifest = signed_pack(made, key, uuid="7c5a4a4a-9a3c-4c55-9d83-0d1bb8f3a7a1")
    return head(manifest) + b"".join(packed(one) for one in parts)


def _swapped(parts: list[bytes], pack: Pack) -> tuple[list[bytes], Pack]:
    return list(reversed(parts)), pack


def _reordered(parts: list[bytes], pack: Pack) -> tuple[list[bytes], Pack]:
    return list(reversed(parts)), replace(pack, parts=list(reversed(pack.parts)))


def _cut(parts: list[bytes], pack: Pack) -> tuple[list[bytes], Pack]:
    return parts[:-1], pack


def _dropped(parts: list[bytes], pack: Pack) -> tuple[list[bytes], Pack]:
    return parts[1:], replace(pack, parts=pack.parts[1:])


def _other_hub(parts: list[bytes], pack: Pack) -> tuple[list[bytes], Pack]:
    return parts, replace(pack, to=pack.sender)


def _other_agreement(parts: list[bytes], pack: Pack) -> tuple[list[bytes], Pack]:
    return parts, replace(pack, agreement="7c5a4a4a-9a3c-4c55-9d83-0d1bb8f3a7a1")


def _forged_batch(parts: list[bytes], pack: Pack) -> tuple[list[bytes], Pack]:
    forged = parts[0].replace(b"Phishing wave", b"Fishing trips")
    assert forged != parts[0]
    return [forged, *parts[1:]], replace(pack, parts=[part_of(pack.parts[0].id, forged, 2), *pack.parts[1:]])


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        (_swapped, PackDamaged, "a part is not|not as long"),
        (_cut, PackDamaged, "2 of its 3 parts are whole"),
        (_reordered, CybexError, "batch 1 of 3"),
        (_dropped, CybexError, "batch 1 of 2"),
        (_other_hub, InvalidRequest, "it is for another hub"),
        (_other_agreement, Conflict, "another agreement"),
    ],
    ids=["swapped", "cut", "reordered and signed", "dropped and signed", "for another hub", "of another agreement"],
)
def test_a_pack_that_was_tampered_with_is_refused_and_nothing_of_it_is_stored(
    pair: tuple[Site, Site],
    courier: Courier,
    change: Callable[[list[bytes], Pack], tuple[list[bytes], Pack]],
    error: type[Exception],
    reason: str,
) -> None:
    one, two = pair
    for _ in range(3):
        one.share("aa", one.incident("aa"), one.incident("aa"))
    (written,) = packs_of_small_batches(one, two, courier)
    before = stored(two)
    written.path.write_bytes(rewritten(written.path, change, one.hub.signing_key))
    with pytest.raises(error, match=reason):
        courier.unpack(two, written.path)
    assert stored(two) == before


def test_a_pack_signed_by_another_key_is_refused(pair: tuple[Site, Site], courier: Courier) -> None:
    one, two = pair
    one.share("aa", one.incident("aa"))
    (written,) = courier.pack(one, two)
    octets = rewritten(written.path, lambda parts, pack: (parts, pack), one.keys["aa"])
    written.path.write_bytes(octets)
    with pytest.raises(SignatureError, match="not an enrolled key"):
        courier.unpack(two, written.path)


def test_a_batch_whose_objects_were_changed_stores_none_of_them(pair: tuple[Site, Site], courier: Courier) -> None:
    one, two = pair
    one.share("aa", one.incident("aa"), one.incident("aa"))
    (written,) = packs_of_small_batches(one, two, courier)
    written.path.write_bytes(rewritten(written.path, _forged_batch, one.hub.signing_key))
    taken = courier.unpack(two, written.path)
    assert (taken.accepted, taken.refused) == (0, 2)
    assert two.ids("cc") == set()


@pytest.mark.parametrize("which", ["the pack of another", "an answer of another pack"])
def test_a_receipt_of_something_else_is_refused(pair: tuple[Site, Site], courier: Courier, which: str) -> None:
    one, two = pair
    one.share("aa", one.incident("aa"))
    (first,) = courier.pack(one, two)
    courier.unpack(two, first.path)
    one.share("aa", one.incident("aa"))
    (second,) = courier.pack(one, two)
    courier.unpack(two, second.path)
    if which == "the pack of another":
        with one.hub.db.write() as tx:  # as if the file had been made by a hub that was restored since
            tx.execute(text("update pack set uuid = '7c5a4a4a-9a3c-4c55-9d83-0d1bb8f3a7a1' where number = 1"))
        with pytest.raises(ReceiptError, match="not made here"):
            courier.back(one, first.path)
    else:
        answers = receipt_of(second.path).read_bytes()
        with receipt_of(first.path).open("rb") as source:
            manifest = read_head(source)
        assert isinstance(manifest, dict)
        with io.BytesIO(answers) as other:
            said, _ = read_manifest(read_head(other))
            theirs = list(bodies(other, said.parts))
        receipt_of(first.path).write_bytes(head(manifest) + b"".join(packed(one) for one in theirs))
        with pytest.raises(PackDamaged):
            courier.back(one, first.path)
    assert positions(one, "out") == set()


def test_a_paused_link_and_an_ended_agreement_stop_packs_both_ways(pair: tuple[Site, Site], courier: Courier) -> None:
    one, two = pair
    one.share("aa", one.incident("aa"))
    (written,) = courier.pack(one, two)
    links.add(two.hub, OPERATOR, "hub-one", url=None, push=False, pull=False)
    links.update(two.hub, OPERATOR, "hub-one", paused=True)
    with pytest.raises(Forbidden, match="paused"):
        courier.unpack(two, written.path)
    links.update(two.hub, OPERATOR, "hub-one", paused=False)
    agreements.end(two.hub, OPERATOR, "hub-one")
    with pytest.raises(Conflict, match="no agreement"):
        courier.unpack(two, written.path)
    with pytest.raises(Conflict, match="no agreement"):
        courier.pack(two, one)
    assert two.ids("cc") == set()


@pytest.mark.parametrize("how", ["recipient", "passphrase"])
def test_a_sealed_pack_opens_for_whom_it_is_and_shows_nothing_to_others(
    pair: tuple[Site, Site], courier: Courier, tmp_path: Path, how: str
) -> None:
    one, two = pair
    one.share("aa", one.incident("aa"))
    secrets = tmp_path / "secrets"
    document = pack_keys.document(two.hub, OPERATOR, secrets)
    assert (secrets / pack_keys.FILE).stat().st_mode & 0o077 == 0
    if how == "recipient":
        recipient = pack_keys.read_recipient(one.hub, one.peer("hub-two"), document)
        sealing = Sealing(recipient=recipient)
        right: dict[str, Any] = {"secrets": secrets}
        wrong: dict[str, Any] = {"secrets": tmp_path / "others"}
        pack_keys.document(two.hub, OPERATOR, tmp_path / "others")
    else:
        sealing = Sealing(passphrase=PASSPHRASE)
        right = {"passphrase": PASSPHRASE}
        wrong = {"passphrase": PASSPHRASE + "r"}
    (written,) = courier.pack(one, two, sealing=sealing)
    octets = written.path.read_bytes()
    assert MAGIC not in octets
    assert one.identity.encode() not in octets
    for attempt in (wrong, {}):
        with pytest.raises(InvalidRequest):
            courier.unpack(two, written.path, **attempt)
    written.path.write_bytes(octets[:-1])
    with pytest.raises(PackDamaged):
        courier.unpack(two, written.path, **right)
    written.path.write_bytes(octets)
    pack_keys.document(two.hub, OPERATOR, secrets, new=True)  # an older key still opens
    assert courier.unpack(two, written.path, **right).accepted == 1


def test_a_recipient_key_that_the_partner_has_not_signed_is_refused(pair: tuple[Site, Site], tmp_path: Path) -> None:
    one, two = pair
    document = pack_keys.document(two.hub, OPERATOR, tmp_path / "secrets")
    to = one.peer("hub-two")
    with pytest.raises(SignatureError):
        pack_keys.read_recipient(one.hub, to, {**document, "public_key": "A" * 43 + "="})
    with pytest.raises(InvalidRequest, match="another hub"):
        pack_keys.read_recipient(two.hub, two.peer("hub-one"), document)


@contextmanager
def _given(octets: bytes) -> Iterator[Source]:
    yield io.BytesIO(octets)


def test_each_part_is_taken_by_the_same_door(pair: tuple[Site, Site], courier: Courier) -> None:
    one, two = pair
    one.share("aa", one.incident("aa"))
    (written,) = courier.pack(one, two)
    with written.path.open("rb") as source:
        said, _ = read_manifest(read_head(source))
        (body,) = bodies(source, said.parts)
    incoming.take(two.hub, two.peer("hub-one"), body, how="push")  # had it been pushed
    taken = unpacking.take(two.hub, OPERATOR, lambda: _given(written.path.read_bytes()))
    assert taken.accepted == 1
    assert stored(two)["relay_batch"] == 1


def test_a_file_that_is_cut_anywhere_stores_nothing(pair: tuple[Site, Site], courier: Courier) -> None:
    one, two = pair
    for _ in range(2):
        one.share("aa", one.incident("aa"), one.incident("aa"))
    (written,) = packs_of_small_batches(one, two, courier)
    octets, before = written.path.read_bytes(), stored(two)
    for place in range(0, len(octets), len(octets) // 20):
        written.path.write_bytes(octets[:place])
        with pytest.raises(CybexError):
            courier.unpack(two, written.path)
    assert stored(two) == before


def test_a_pack_that_cannot_be_noted_leaves_no_file(
    pair: tuple[Site, Site], courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    one.share("aa", one.incident("aa"))

    def fails(*_: object) -> None:
        raise PowerFailureError

    with monkeypatch.context() as patch:
        patch.setattr("hub.services.relay.packing.packs.add", fails)
        with pytest.raises(PowerFailureError):
            courier.pack(one, two)
    assert list(courier.folder.iterdir()) == []
    assert courier.carry(one, two) == 1


def test_the_audit_finds_a_pack_that_no_line_tells_of_and_one_that_is_another(
    pair: tuple[Site, Site], courier: Courier
) -> None:
    one, two = pair
    one.share("aa", one.incident("aa"))
    courier.carry(one, two)
    assert [pack_findings(site) for site in pair] == [[], []]
    with two.hub.db.write() as tx:
        tx.execute(text("update pack set sha256 = :other"), {"other": b"x" * 32})
    with one.hub.db.write() as tx:
        tx.execute(text("update pack set number = 2, answered_at = null"))
    assert pack_findings(two) == ["pack.bytes"]
    assert pack_findings(one) == ["pack.unknown", "pack.lost"]


def pack_findings(site: Site) -> list[str]:
    """Return what the audit says of packs."""
    found = Audit(site.hub.db, site.hub.signing_key.public, site.hub.log_key.public).findings()
    return [one.code for one in found if one.code.startswith("pack")]
