"""A withdrawal follows an object to every hub that has it, and tells no hub of anything it never had."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain.retraction import EXTENSION_ID, Target, notice
from hub.domain.tlp import IDS
from tests.services.relay.world import Site, connect

Chain = tuple[Site, Site, Site]


def later(site: Site, obj: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a later version of an object, not signed yet."""
    bare = {name: value for name, value in obj.items() if name != "signatures"}
    return {**bare, "modified": site.stamp(), **changes}


def spread(*pairs: tuple[Site, Site]) -> None:
    """Hand on what there is, over each of these links."""
    for here, there in pairs:
        here.push(there)


def notices(site: Site, handle: str) -> list[dict[str, Any]]:
    """Return the retraction extensions of the notices that a CIRT reads."""
    return [one["extensions"][EXTENSION_ID] for one in site.seen(handle) if EXTENSION_ID in one.get("extensions", {})]


@pytest.mark.parametrize("how", ["deleted", "retracted", "revoked"])
def test_what_its_author_takes_back_is_gone_at_every_hub_and_its_readers_are_told(chain: Chain, how: str) -> None:
    one, two, three = chain
    (posted,) = one.share("aa", one.incident("aa"))
    spread((one, two), (two, three))
    assert three.ids("dd") == {posted["id"]}
    if how == "deleted":
        one.withdraw("aa", posted["id"])
    elif how == "retracted":
        note = notice(
            stix_id="note--4b5a4e7c-1f34-4c3f-9b5e-7c8a2f6a1d01",
            identity=one.identities["aa"],
            at=one.hub.clock(),
            kind="retracted",
            targets=[Target(posted["id"])],
            marking_refs=[IDS["green"]],
        )
        one.share("aa", note)
    else:
        one.share("aa", later(one, posted, revoked=True))
    spread((one, two), (two, three))
    for site, handle in ((two, "cc"), (three, "dd")):
        versions = [obj for obj in site.seen(handle) if obj["id"] == posted["id"]]
        assert all(obj.get("revoked") for obj in versions)
        said = notices(site, handle)
        assert [target["id"] for one_ in said for target in one_["targets"]] == [posted["id"]]
        assert {one_["kind"] for one_ in said} == {how}


def test_the_act_has_one_name_at_all_hubs(chain: Chain) -> None:
    one, two, three = chain
    (posted,) = one.share("aa", one.incident("aa"))
    spread((one, two), (two, three))
    one.withdraw("aa", posted["id"])
    spread((one, two), (two, three))
    (at_one,) = {said["act"] for said in notices(one, "bb")}
    assert {said["act"] for said in notices(two, "cc")} == {said["act"] for said in notices(three, "dd")} == {at_one}


def test_no_hub_hears_of_the_withdrawal_of_what_it_never_had(chain: Chain) -> None:
    one, two, _ = chain
    (secret,) = one.share("aa", one.incident("aa", "amber"))
    one.push(two)
    one.withdraw("aa", secret["id"])
    ran = one.push(two)
    assert ran.objects == 0
    assert secret["id"] not in str(two.seen("cc"))


def test_a_version_that_may_no_longer_cross_takes_the_earlier_one_from_the_hubs_that_have_it(chain: Chain) -> None:
    one, two, three = chain
    (posted,) = one.share("aa", one.incident("aa"))
    spread((one, two), (two, three))
    one.share("aa", later(one, posted, object_marking_refs=[IDS["amber"]], name="More than they should know"))
    spread((one, two), (one, two), (two, three))
    assert two.ids("cc") == three.ids("dd") == set()
    assert [said["kind"] for said in notices(three, "dd")] == ["narrowed"]
    assert "More than they should know" not in str(two.seen("cc")) + str(three.seen("dd"))
    assert len(one.ids("bb")) == 1


def test_a_hub_cannot_take_away_what_did_not_come_by_it(chain: Chain) -> None:
    one, two, three = chain
    connect(three, one)
    (posted,) = two.share("cc", two.incident("cc"))
    spread((two, one), (one, three), (two, three))
    three_ids = three.ids("dd")
    (own,) = one.share("aa", one.incident("aa"))
    one.withdraw("aa", own["id"])
    spread((one, two), (one, three))
    assert two.ids("cc") == three.ids("dd") == three_ids == {posted["id"]}


def test_in_a_triangle_a_withdrawal_wins_over_a_copy_that_is_still_on_its_way(chain: Chain) -> None:
    one, two, three = chain
    connect(three, one)
    (posted,) = one.share("aa", one.incident("aa"))
    one.push(two)
    one.push(three)
    one.withdraw("aa", posted["id"])
    one.push(three)
    two.push(three)  # which has not heard of it yet
    one.push(two)
    spread((two, three), (three, two), (three, one), (two, one))
    assert one.ids("bb") == two.ids("cc") == three.ids("dd") == set()
