"""A reader remembers the keys: what no honest hub does is refused, and a key that appears unexplained is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli.pull import pull as command
from hub.client import key_statements, keyfile, pins
from hub.client.pins import PINS_FILE, Pins, compare
from hub.domain.key_directory import Directory, ListedKey, directory_content, read_signed, sign_directory
from hub.domain.key_material import PrivateKey
from hub.errors import ConfigError
from tests.client.scripted_server import Asked, Reply, ScriptedServer, envelope
from tests.domain.signing import AUTHOR, AUTHOR_KEY, INDICATOR, NOW, OTHER, OTHER_KEY, UUID, enrolled, inline

HUB = "identity--00000000-0000-4000-8000-0000000000aa"
HUB_KEY, NEW_KEY, NEXT_KEY, THIEF = (keyfile.generate() for _ in range(4))
URL = "https://hub.example/alpha/"
AA = ListedKey("aa", enrolled())
BB = ListedKey("bb", enrolled(OTHER_KEY, id=2, peer_id=8, identity=OTHER))


def document(
    *listed: ListedKey,
    statements: tuple[dict[str, Any], ...] = (),
    key: PrivateKey = HUB_KEY,
    serial: int = 7,
    group: str = "alpha",
    hub: str = HUB,
) -> dict[str, Any]:
    content = directory_content(hub, group, listed or (AA, BB), statements)
    return sign_directory(content, key, serial=serial, issued_at=NOW, uuid=UUID)


def directory(*listed: ListedKey, **more: Any) -> Directory:
    return read_signed(json.loads(json.dumps(document(*listed, **more))))


def known(*listed: ListedKey, **more: Any) -> Pins:
    return compare(None, directory(*listed, **more), url=URL).pins


def key_of(pair: PrivateKey, item: ListedKey = AA, **changes: Any) -> ListedKey:
    """Return another key of the same peer."""
    key = replace(item.key, kid=pair.public.kid, public_key=pair.public.text, id=9, **changes)
    return ListedKey(item.handle, key)


def rotation(old: PrivateKey, new: PrivateKey, peer: str = AUTHOR, at: int = NOW) -> dict[str, Any]:
    return key_statements.rotation(old, new, peer=peer, hub=HUB, at=at)


def changed(item: ListedKey, **changes: Any) -> ListedKey:
    return ListedKey(item.handle, replace(item.key, **changes))


REVOKED = changed(AA, revoked_at=NOW, revocation_reason="retired")
STOLEN = changed(AA, revoked_at=NOW, revocation_reason="compromised")


@pytest.mark.parametrize(
    ("before", "after", "refusal"),
    [
        pytest.param(directory(), directory(), None, id="the same"),
        pytest.param(directory(), directory(serial=8), None, id="a later one"),
        pytest.param(directory(), directory(AA), None, id="a key left out"),
        pytest.param(directory(), directory(REVOKED, BB), None, id="a key revoked"),
        pytest.param(directory(REVOKED), directory(STOLEN), None, id="revoked, now compromised"),
        pytest.param(directory(), directory(ListedKey("", AA.key), BB), None, id="a handle no more told"),
        pytest.param(directory(), directory(key=THIEF), "the hub signs with another key", id="key of the hub swapped"),
        pytest.param(directory(), directory(hub=OTHER), "the hub signs with another key", id="another hub"),
        pytest.param(directory(), directory(group="bravo"), "another group", id="another group"),
        pytest.param(directory(), Directory((AA, BB)), "does so no more", id="signature stripped"),
        pytest.param(directory(serial=7), directory(serial=6), "went back", id="an old one replayed"),
        pytest.param(
            directory(), directory(changed(AA, identity=OTHER), BB), "given to another", id="a key given to another"
        ),
        pytest.param(directory(), directory(ListedKey("cc", AA.key), BB), "given to another", id="another handle"),
        pytest.param(directory(REVOKED), directory(AA), "counts again", id="revoked key back"),
        pytest.param(
            directory(REVOKED), directory(changed(REVOKED, revoked_at=NOW + 1)), "counts again", id="revoked later"
        ),
        pytest.param(
            directory(STOLEN), directory(changed(STOLEN, revocation_reason="retired")), "counts again", id="pardoned"
        ),
    ],
)
def test_what_no_honest_hub_does_is_refused(before: Directory, after: Directory, refusal: str | None) -> None:
    found = compare(compare(None, before, url=URL).pins, after, url=URL)
    assert len(found.refusals) == (refusal is not None)
    assert refusal is None or refusal in found.refusals[0]
    assert found.warnings == ()


def test_a_revoked_key_that_was_left_out_and_comes_back_is_refused() -> None:
    between = compare(known(REVOKED), directory(BB, serial=8), url=URL).pins
    assert "counts again" in compare(between, directory(AA, serial=9), url=URL).refusals[0]


@pytest.mark.parametrize(
    ("after", "warned"),
    [
        pytest.param(
            directory(AA, key_of(NEW_KEY), statements=(rotation(AUTHOR_KEY, NEW_KEY),)), 0, id="rotated by a known key"
        ),
        pytest.param(
            directory(
                AA, key_of(NEW_KEY), key_of(NEXT_KEY),
                statements=(rotation(NEW_KEY, NEXT_KEY), rotation(AUTHOR_KEY, NEW_KEY)),
            ),
            0, id="rotated twice",
        ),
        pytest.param(directory(AA, key_of(THIEF)), 1, id="swapped in"),
        pytest.param(directory(key_of(THIEF)), 1, id="swapped for the old one"),
        pytest.param(
            directory(AA, key_of(THIEF), statements=(rotation(OTHER_KEY, THIEF),)), 1, id="rotated by another peer"
        ),
        pytest.param(
            directory(AA, BB, key_of(THIEF), statements=(rotation(OTHER_KEY, THIEF, OTHER),)), 1,
            id="rotated by a peer in his own name",
        ),
        pytest.param(
            directory(
                AA, key_of(THIEF),
                statements=({**rotation(AUTHOR_KEY, NEW_KEY), "kid": THIEF.public.kid},),
            ),
            1, id="statement changed",
        ),
        pytest.param(
            directory(STOLEN, key_of(THIEF), statements=(rotation(AUTHOR_KEY, THIEF, at=NOW),)), 1,
            id="rotated by the thief",
        ),
        pytest.param(
            directory(AA, key_of(NEXT_KEY), statements=(rotation(NEW_KEY, NEXT_KEY),)), 1, id="a link is missing"
        ),
        pytest.param(
            directory(AA, ListedKey("cc", replace(key_of(NEW_KEY).key, identity=HUB))), 0, id="a new peer"
        ),
    ],
)  # fmt: skip
def test_a_new_key_of_a_known_peer_is_named_unless_a_known_key_vouches(after: Directory, warned: int) -> None:
    found = compare(known(), after, url=URL)
    assert (len(found.warnings), found.refusals) == (warned, ())


def test_a_hub_that_signs_nothing_is_read_with_a_warning() -> None:
    first = compare(None, Directory((AA, BB)), url=URL)
    assert "does not sign" in first.warnings[0]
    swapped = compare(first.pins, Directory((changed(AA, identity=OTHER),)), url=URL)
    assert "given to another" in swapped.refusals[0]
    assert compare(first.pins, directory(), url=URL).refusals == ()  # an older hub that was brought up to date


def test_what_is_remembered_is_what_is_read_again(tmp_path: Path) -> None:
    assert pins.load(tmp_path, URL) is None
    pins.save(tmp_path / "new", known(REVOKED))
    assert pins.load(tmp_path / "new", URL) == known(REVOKED)
    with pytest.raises(ConfigError, match="another collection"):
        pins.load(tmp_path / "new", URL + "x/")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": 1, "keys": {"a": 1}}'])
def test_a_damaged_memory_is_said_and_believed_by_nobody(text: str, tmp_path: Path) -> None:
    (tmp_path / PINS_FILE).write_text(text)
    with pytest.raises(ConfigError, match="is damaged"):
        pins.load(tmp_path, URL)


# The command, against a hub that lies.


def cybex_pull(server: ScriptedServer, tmp_path: Path, shown: dict[str, Any], *options: str) -> Result:
    def script(asked: Asked) -> Reply:
        if "/api/v1/" in asked.target:
            return Reply(200, json.dumps(shown).encode(), {"Content-Type": "application/json"})
        date = "2026-11-01T00:00:00.000000Z"
        return envelope(inline(INDICATOR), dates=(date, date))

    server.script = script
    (tmp_path / "token").write_text("secret")
    where = ["--url", server.url + "alpha/", "--token-file", str(tmp_path / "token"), "--out", str(tmp_path / "in")]
    return CliRunner().invoke(command, [*where, *options])


def taken(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "in").glob("*.json") if not path.name.startswith("pull-")]


def test_key_swapped_takes_nothing_until_it_is_accepted(server: ScriptedServer, tmp_path: Path) -> None:
    first = cybex_pull(server, tmp_path, document())
    assert (first.exit_code, first.stdout.strip()) == (0, "1 objects: 1 verified")
    assert HUB_KEY.public.kid in first.stderr
    for path in taken(tmp_path):
        path.unlink()
    (tmp_path / "in" / "pull-state.json").unlink()
    remembered = (tmp_path / "in" / PINS_FILE).read_bytes()

    lie = cybex_pull(server, tmp_path, document(key=THIEF))
    assert lie.exit_code != 0
    assert isinstance(lie.exception, ConfigError)
    assert "refused: the hub signs with another key" in lie.stderr
    assert taken(tmp_path) == []
    assert (tmp_path / "in" / PINS_FILE).read_bytes() == remembered

    accepted = cybex_pull(server, tmp_path, document(key=THIEF), "--accept-new-keys")
    assert accepted.exit_code == 0, accepted.output
    assert "warning: the hub signs with another key" in accepted.stderr
    assert len(taken(tmp_path)) == 1
    assert cybex_pull(server, tmp_path, document(key=THIEF)).stderr.count("warning") == 0


def test_a_swapped_key_of_a_peer_is_warned_of_and_a_rotation_is_not(server: ScriptedServer, tmp_path: Path) -> None:
    cybex_pull(server, tmp_path, document())
    good = cybex_pull(
        server, tmp_path, document(AA, key_of(NEW_KEY), statements=(rotation(AUTHOR_KEY, NEW_KEY),), serial=8)
    )
    assert (good.exit_code, "warning" in good.stderr) == (0, False)
    bad = cybex_pull(server, tmp_path, document(AA, key_of(THIEF), serial=9))
    assert (bad.exit_code, bad.stderr.count("warning: a new key")) == (0, 1)


def test_a_directory_that_was_changed_on_the_way_takes_nothing(server: ScriptedServer, tmp_path: Path) -> None:
    lie = {**document(), "keys": document(key_of(THIEF))["keys"]}
    result = cybex_pull(server, tmp_path, lie)
    assert result.exit_code != 0
    assert "does not match" in str(result.exception)
    assert not (tmp_path / "in").exists()


def test_an_unsigned_directory_of_an_older_hub_is_read_with_a_warning(server: ScriptedServer, tmp_path: Path) -> None:
    result = cybex_pull(server, tmp_path, {"keys": document()["keys"]})
    assert (result.exit_code, result.stderr.count("warning: this hub does not sign")) == (0, 1)
