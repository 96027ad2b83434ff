"""A submission, stage by stage: received, parsed, verified, decided. No later stage without the earlier one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hub.domain import limits
from hub.domain.audience import Audience
from hub.domain.canonical import Json, jcs
from hub.domain.policy.decision import Decision
from hub.domain.policy.publish import Verdict
from hub.domain.signature_profile import Attestation, related_version
from hub.domain.stix import Facts, facts
from hub.errors import MalformedJson

SIGNATURE_TYPE = "jss-signature"
VersionName = tuple[str, str]
"""STIX id and `related_version` of one version: what ties a detached signature to its object."""

_STIX_ID = re.compile(r"[a-z][a-z0-9-]{1,249}--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,30})?Z")


class Problem(Protocol):
    """One thing that is wrong with an object, as validation reports it."""

    @property
    def field(self) -> str:
        """Path of the property at fault."""

    @property
    def rule(self) -> str:
        """Name of the rule that it breaks."""

    @property
    def message(self) -> str:
        """What is wrong, without any value."""


class Validator(Protocol):
    """Says what is wrong with a STIX object."""

    def problems(self, obj: Mapping[str, Any], /) -> Sequence[Problem]:
        """Return at most a few problems; none when the object is valid STIX 2.1."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An object that is not taken, and why: one line under ``failures`` (TAXII 2.1 §4.3.1).

    :param stix_id: its id, or ``objects[3]`` when it has none that can be repeated safely.
    :param body: kept for the operator only where the version exists with other content.
    """

    index: int
    stix_id: str
    version: str
    rule: str
    message: str
    sha256: bytes | None = None
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """A valid STIX 2.1 object and its JCS bytes, which are made here and nowhere else.

    :param plain: as `hub.domain.canonical.jcs` takes it.
    """

    index: int
    facts: Facts
    obj: Mapping[str, Any]
    body: bytes
    sha256: bytes
    plain: bool = False

    @property
    def is_signature(self) -> bool:
        """Whether this is a detached X.590 signature over another object."""
        return self.facts.type == SIGNATURE_TYPE

    @property
    def version_named(self) -> VersionName:
        """How a detached signature names this very version."""
        if self.facts.version_key is None and "created" not in self.obj and "modified" not in self.obj:
            return self.facts.id, self.sha256.hex()  # what `related_version` would hash once more
        return self.facts.id, related_version(self.obj)

    @property
    def version_signed(self) -> VersionName:
        """The version that this detached signature is about."""
        return str(self.obj.get("related_to")), str(self.obj.get("related_version"))

    def failed(self, rule: str, message: str, *, keep: bool = False) -> Failed:
        """Return the line that says why this object is not taken; its bytes are kept only on request."""
        version = self.facts.version or NO_VERSION
        return Failed(self.index, self.facts.id, version, rule, message, self.sha256, self.body if keep else None)


@dataclass(frozen=True, slots=True)
class Verified:
    """A parsed object with what its signature proved, or why it proved nothing."""

    parsed: Parsed
    attestation: Attestation | None
    refusal: Decision | None


@dataclass(frozen=True, slots=True)
class Decided:
    """A verified object that may be published, for whom and from when to when."""

    verified: Verified
    verdict: Verdict

    @property
    def parsed(self) -> Parsed:
        """The object itself."""
        return self.verified.parsed

    @property
    def audience(self) -> Audience:
        """Who may see it. Raises AssertionError where nothing was decided: nothing means nobody."""
        if self.verdict.audience is None:
            raise AssertionError("a permission without an audience")
        return self.verdict.audience


NO_VERSION = "unversioned"
"""Stands for the version of a refused object that has none: `status-details.version` is required."""


def parse_objects(
    objects: Iterable[Json], validator: Validator, *, plain: bool = False
) -> tuple[list[Parsed], list[Failed]]:
    """Split the objects of an envelope into valid STIX and failures, each in the order of the envelope.

    :param plain: of all of them, as `hub.domain.canonical.jcs` takes it.
    """
    parsed: list[Parsed] = []
    failed: list[Failed] = []
    for index, obj in enumerate(objects):
        outcome = _parse(index, obj, validator, plain)
        if isinstance(outcome, Parsed):
            parsed.append(outcome)
        else:
            failed.append(outcome)
    return parsed, failed


def label(index: int, obj: Json) -> tuple[str, str]:
    """Return an id and a version for a status line, taken from the object only if they have the form of one."""
    stix_id, version = f"objects[{index}]", NO_VERSION
    if isinstance(obj, dict):
        given = obj.get("id")
        if isinstance(given, str) and _STIX_ID.fullmatch(given):
            stix_id = given
        for name in ("modified", "created"):
            stamp = obj.get(name)
            if isinstance(stamp, str) and _TIMESTAMP.fullmatch(stamp):
                version = stamp
                break
    return stix_id, version


def _parse(index: int, obj: Json, validator: Validator, plain: bool) -> Parsed | Failed:
    if not isinstance(obj, dict):
        message = "each member of objects must be a STIX object"
        return Failed(index, *label(index, obj), "object", message, _digest(obj, plain))
    problems = validator.problems(obj)
    if problems:
        first = problems[0]
        message = f"{first.field}: {first.message}" if first.field else first.message
        return Failed(index, *label(index, obj), first.rule, message, _digest(obj, plain))
    try:
        body = jcs(obj, plain=plain)
    except MalformedJson as error:
        return Failed(index, *label(index, obj), error.code, error.detail)
    if len(body) > limits.MAX_OBJECT_BYTES:
        message = f"the object is longer than {limits.MAX_OBJECT_BYTES} octets"
        return Failed(index, *label(index, obj), "size", message, hashlib.sha256(body).digest())
    return Parsed(index, facts(obj), obj, body, hashlib.sha256(body).digest(), plain)


def _digest(value: Json, plain: bool) -> bytes | None:
    """Return what the receipt says of a refused object, so that its sender can show which one it was."""
    try:
        return hashlib.sha256(jcs(value, plain=plain)).digest()
    except MalformedJson:
        return None
