"""Who gets in, who does not, and that all refusals look alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.domain import limits
from hub.domain.credentials import Basic, Bearer, Certificate, Presented, secret_hash
from hub.domain.membership import CredentialKind, Role
from hub.errors import Busy, Unauthenticated
from hub.services import authentication, credentials, peers
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.authentication import REFUSED, authenticate
from hub.services.context import Hub
from hub.store import credentials as store
from tests.services.cast import DAY, SECOND, Cast, clock_of

FINGERPRINT = "ab" * 32


def bearer(hub: Hub, handle: str = "bb", role: Role = Role.FEED) -> str:
    issued = credentials.add(hub, OPERATOR, handle, kind=CredentialKind.BEARER, role=role, label="feed")
    assert issued.secret is not None
    return issued.secret


def test_a_password_proves_peer_and_role(cast: Cast) -> None:
    caller = cast.caller("analyst")
    assert (caller.peer.handle, caller.role, caller.credential_id) == ("bb", Role.ANALYST, cast.ids["analyst"])


def test_a_token_works_as_bearer_and_as_basic_password(hub: Hub) -> None:
    token = bearer(hub)
    for presented in (Bearer(token), Basic("token", token), Basic("token-of-misp", token)):
        assert authenticate(hub, presented).peer.handle == "bb"


def test_a_token_is_no_password_of_another_user_name(hub: Hub, cast: Cast) -> None:
    with pytest.raises(Unauthenticated):
        authenticate(hub, Basic(cast.logins["analyst"][0], bearer(hub)))


def test_a_certificate_proves_its_peer(hub: Hub) -> None:
    credentials.add(
        hub,
        OPERATOR,
        "bb",
        kind=CredentialKind.CERTIFICATE,
        role=Role.FEED,
        label="proxy",
        fingerprint=FINGERPRINT.upper(),
    )
    assert authenticate(hub, Certificate(FINGERPRINT)).peer.handle == "bb"


@pytest.mark.parametrize("part", ["expired", "revoked", "suspended-peer"])
def test_a_credential_that_stands_no_longer_is_refused(cast: Cast, part: str) -> None:
    with pytest.raises(Unauthenticated, match=REFUSED):
        cast.caller(part)


def presented_wrongly(cast: Cast) -> dict[str, Presented]:
    username, password = cast.logins["analyst"]
    token = bearer(cast.hub)
    return {
        "wrong password": Basic(username, password[:-1] + ("a" if password[-1] != "a" else "b")),
        "empty password": Basic(username, ""),
        "password of another": Basic(username, cast.logins["admin"][1]),
        "other case": Basic(username.upper(), password),
        "unknown user": Basic("nobody", password),
        "NUL in the name": Basic(username + "\0", password),
        "surrogate in the password": Basic(username, "\ud800"),
        "wrong token": Bearer(token[:-1] + ("a" if token[-1] != "a" else "b")),
        "unknown token": Bearer("cybex_" + "a" * 16 + "_" + "b" * 40),
        "no token": Bearer("x" * 5000),
        "password as token": Bearer(password),
        "unknown certificate": Certificate("00" * 32),
        "no fingerprint": Certificate(""),
        "fingerprint of null": Certificate("None"),
    }


def test_every_refusal_has_the_same_text(cast: Cast) -> None:
    for name, presented in presented_wrongly(cast).items():
        with pytest.raises(Unauthenticated) as refused:
            authenticate(cast.hub, presented)
        assert (refused.value.detail, refused.value.field) == (REFUSED, None), name


def test_an_unknown_user_costs_the_same_queries_and_the_same_hash(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    work: list[str] = []
    for name in ("by_username", "by_lookup", "by_fingerprint"):
        original = getattr(store, name)
        monkeypatch.setattr(store, name, _counted(original, name, work))
    monkeypatch.setattr(authentication, "secret_matches", _counted(authentication.secret_matches, "hash", work))
    counts = []
    known = cast.logins["analyst"][0]
    for username in (known, "nobody", cast.logins["revoked"][0]):
        work.clear()
        with pytest.raises(Unauthenticated):
            authenticate(cast.hub, Basic(username, "wrong"))
        counts.append(sorted(work))
    assert counts == [["by_username", "hash"]] * 3


def _counted(function: Any, name: str, work: list[str]) -> Any:
    def counting(*given: Any) -> Any:
        work.append(name)
        return function(*given)

    return counting


def test_the_role_operator_counts_only_at_the_hubs_own_peer(cast: Cast) -> None:
    salt = b"s" * 16
    bb = cast.caller("analyst").peer
    with cast.hub.db.write() as tx:
        store.add(
            tx,
            peer_id=bb.id,
            kind=CredentialKind.BASIC,
            role=Role.OPERATOR,
            label="smuggled in",
            username="bb.smuggled",
            lookup=None,
            salt=salt,
            secret_hash=secret_hash(salt, "known"),
            fingerprint=None,
            now=cast.hub.clock(),
            expires_at=None,
        )
    with pytest.raises(Unauthenticated):
        authenticate(cast.hub, Basic("bb.smuggled", "known"))


def test_a_suspended_peer_gets_in_again_after_it_is_restored(cast: Cast) -> None:
    peers.update(cast.hub, OPERATOR, "dd", suspended=False)
    assert cast.caller("suspended-peer").peer.handle == "dd"


def test_a_credential_expires_at_its_very_microsecond(cast: Cast) -> None:
    clock = clock_of(cast.hub)
    cast.issue("short", "bb", Role.FEED, expires_at=clock.now + DAY)
    clock.now += DAY - 1
    assert cast.caller("short").peer.handle == "bb"
    clock.now += 1
    with pytest.raises(Unauthenticated):
        cast.caller("short")


def test_the_last_use_is_noted_once_a_minute(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[str] = []
    monkeypatch.setattr(store, "touch", _counted(store.touch, "touch", noted))
    clock = clock_of(cast.hub)
    cast.caller("analyst")
    clock.now += 59 * SECOND
    cast.caller("analyst")
    assert len(noted) == 1
    clock.now += SECOND
    cast.caller("analyst")
    assert len(noted) == 2
    listed = credentials.listed(cast.hub, OPERATOR, "bb")[1]
    assert [row.last_used_at for row in listed if row.id == cast.ids["analyst"]] == [clock.now]


def test_a_busy_database_does_not_keep_a_good_caller_out(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> bool:
        raise Busy

    monkeypatch.setattr(store, "touch", busy)
    assert cast.caller("analyst").peer.handle == "bb"


def test_guessing_is_refused_unseen_after_too_many_failures(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    username, password = cast.logins["analyst"]
    for _ in range(limits.LOGIN_FAILURES):
        with pytest.raises(Unauthenticated):
            authenticate(cast.hub, Basic(username, "wrong"), remote="198.51.100.1")
    with pytest.raises(Unauthenticated) as refused:
        authenticate(cast.hub, Basic(username, password), remote="198.51.100.1")
    assert refused.value.detail == REFUSED
    clock_of(cast.hub).now += limits.LOGIN_FAILURE_WINDOW_US
    assert authenticate(cast.hub, Basic(username, password), remote="198.51.100.1").peer.handle == "bb"


def test_guessing_locks_nobody_else_out(cast: Cast) -> None:
    username, password = cast.logins["analyst"]
    for _ in range(limits.LOGIN_FAILURES * 2):
        with pytest.raises(Unauthenticated):
            authenticate(cast.hub, Basic(username, "wrong"), remote="198.51.100.1")
    assert authenticate(cast.hub, Basic(username, password), remote="203.0.113.7").peer.handle == "bb"
    other = cast.logins["admin"]
    assert authenticate(cast.hub, Basic(*other), remote="198.51.100.1").peer.handle == "bb"


def test_a_success_forgets_the_failures(cast: Cast) -> None:
    username, password = cast.logins["analyst"]
    for _ in range(3):
        for _ in range(limits.LOGIN_FAILURES - 1):
            with pytest.raises(Unauthenticated):
                authenticate(cast.hub, Basic(username, "wrong"))
        authenticate(cast.hub, Basic(username, password))


def test_the_memory_of_failures_is_bounded(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOGIN_FAILURE_PAIRS", 10)
    throttle = cast.hub.throttle
    for number in range(50):
        throttle.failed("198.51.100.1", f"basic:user{number}" + "x" * 10_000, cast.hub.clock())
    assert len(throttle._counts) == 10
    assert max(len(name) for _, name in throttle._counts) <= 128


def test_nothing_secret_is_shown_when_a_credential_is_printed(cast: Cast) -> None:
    username, password = cast.logins["analyst"]
    token = bearer(cast.hub)
    assert password not in repr(Basic(username, password))
    assert token not in repr(Bearer(token))
    issued = credentials.add(cast.hub, OPERATOR, "bb", kind=CredentialKind.BASIC, role=Role.FEED, label="x")
    assert issued.secret is not None
    assert issued.secret not in repr(issued)
    assert replace(issued, secret="known-text").secret not in repr(issued)
