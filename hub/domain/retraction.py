"""The retraction notice: a plain STIX 2.1 note that any client can read, and an extension that says it to machines.

An author posts such a note, signed, to withdraw what is his. The hub makes one, signed by itself, where the withdrawal
came another way: a DELETE, a moderator, a version that says ``revoked``, or one that fewer peers may see.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, cast, get_args

from hub.domain import limits, naming
from hub.domain.signature_extensions import PROJECT_IDENTITY_ID
from hub.domain.stix import is_timestamp
from hub.domain.taxii_time import format_timestamp
from hub.errors import InvalidRequest

EXTENSION_ID: Final = "extension-definition--6e270709-fb98-4786-93c0-c25d158d4470"
"""The key under ``extensions`` of a note that is a retraction."""

NOTE: Final = "note"
Kind = Literal["revoked", "deleted", "retracted", "moderated", "narrowed"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

WITH_CONTENTS: Final = ("incident", "report", "grouping")
"""Types that hold other objects together, which may therefore be withdrawn with their contents."""

_PROPERTIES: Final = frozenset({"extension_type", "act", "kind", "targets", "contents", "reason"})
STIX_ID: Final = re.compile(
    r"[a-z][a-z0-9-]{1,248}[a-z0-9]--[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)
_UUID4: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Target:
    """One object that was withdrawn.

    :param versions: the ones meant, as `signature_profile.related_version` names them: ``modified``, else ``created``,
        else the hexadecimal SHA-256 of the JCS bytes. None means every version the reader has of it.
    """

    stix_id: str
    versions: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Retraction:
    """What a notice says.

    :param contents: what the targets hold together is withdrawn with them.
    :param act: names the withdrawal at the hub that carried it out; None in an author's own note.
    """

    kind: Kind
    targets: tuple[Target, ...]
    contents: bool = False
    reason: str | None = None
    act: str | None = None


class MalformedRetraction(ValueError):
    """The note does not say something the hub can carry out; the text names the property and what to do."""


def is_retraction(obj: Mapping[str, Any]) -> bool:
    """Say whether a valid STIX object claims to be a retraction notice."""
    if obj.get("type") != NOTE:
        return False
    extensions = obj.get("extensions")
    return isinstance(extensions, Mapping) and EXTENSION_ID in extensions


def read(note: Mapping[str, Any]) -> Retraction:
    """Return what a note with our extension says.

    Raises MalformedRetraction for anything ``schemas/hub/retraction.schema.json`` does not allow, and for a note whose
    ``object_refs`` are not its targets: a reader without the extension must be told of the same objects.
    """
    extensions = note.get("extensions")
    extension = extensions.get(EXTENSION_ID) if isinstance(extensions, Mapping) else None
    if note.get("type") != NOTE or not isinstance(extension, Mapping):
        raise MalformedRetraction("a retraction is a note with the retraction extension")
    if not _PROPERTIES.issuperset(extension):
        raise MalformedRetraction("the retraction extension has a property it does not define: remove it")
    if extension.get("extension_type") != "property-extension":
        raise MalformedRetraction("extension_type of the retraction extension must be property-extension")
    if note.get("revoked") is True:
        raise MalformedRetraction("revoked: a retraction cannot be taken back")
    kind = extension.get("kind")
    if kind not in KINDS:
        raise MalformedRetraction(f"kind of a retraction must be one of: {', '.join(KINDS)}")
    targets = _targets(extension.get("targets"))
    refs = note.get("object_refs")
    if not isinstance(refs, list) or sorted(map(str, refs)) != sorted(target.stix_id for target in targets):
        raise MalformedRetraction("object_refs of a retraction must name its targets, each once, and nothing else")
    return Retraction(
        kind=cast(Kind, kind),
        targets=targets,
        contents=_contents(extension, targets),
        reason=_reason(extension),
        act=_act(extension),
    )


def notice(
    *,
    stix_id: str,
    identity: str,
    at: int,
    kind: Kind,
    targets: Sequence[Target],
    act: str | None = None,
    reason: str | None = None,
    contents: bool = False,
    marking_refs: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the note that says this, not signed yet.

    :param stix_id: of the note. :param identity: STIX identity of who says it. :param at: microseconds since the epoch.
    """
    stamp = format_timestamp(at)[:23] + "Z"  # STIX 2.1 §3.2 asks for milliseconds
    extension: dict[str, Any] = {
        "extension_type": "property-extension",
        "kind": kind,
        "targets": [_written(target) for target in targets],
    }
    if act is not None:
        extension["act"] = act
    if contents:
        extension["contents"] = True
    if reason is not None:
        extension["reason"] = reason
    made: dict[str, Any] = {
        "type": NOTE,
        "spec_version": "2.1",
        "id": stix_id,
        "created_by_ref": identity,
        "created": stamp,
        "modified": stamp,
        "abstract": _ABSTRACT[kind],
        "content": _content(kind, targets, reason, contents=contents),
        "object_refs": [target.stix_id for target in targets],
        "extensions": {EXTENSION_ID: extension},
    }
    if marking_refs:
        made["object_marking_refs"] = list(marking_refs)
    return made


_ABSTRACT: Final[Mapping[Kind, str]] = {
    "revoked": "Revoked by its author",
    "deleted": "Withdrawn by its author",
    "retracted": "Withdrawn by its author",
    "moderated": "Withdrawn by a moderator",
    "narrowed": "No longer shared with you",
}
_WHAT_HAPPENED: Final[Mapping[Kind, str]] = {
    "revoked": "The author has revoked what this note refers to.",
    "deleted": "What this note refers to was withdrawn by its author, or by the peer that brought it.",
    "retracted": "The author has withdrawn what this note refers to.",
    "moderated": "A moderator of the group, or the operator of the hub, has withdrawn what this note refers to."
    " The author did not do it.",
    "narrowed": "The author now shares what this note refers to with fewer readers, and you are no longer among them.",
}


def _content(kind: Kind, targets: Sequence[Target], reason: str | None, *, contents: bool) -> str:
    sentences = [_WHAT_HAPPENED[kind]]
    if contents:
        sentences.append("Everything of the author's that it holds together is withdrawn with it.")
    if any(target.versions is not None for target in targets):
        sentences.append("Only the versions named in the extension are meant.")
    sentences.append("Remove it from your systems, stop using it, and do not share it any further.")
    if reason is not None:
        sentences.append(f"Reason given: {reason}")
    return " ".join(sentences)


def _written(target: Target) -> dict[str, Any]:
    if target.versions is None:
        return {"id": target.stix_id}
    return {"id": target.stix_id, "versions": list(target.versions)}


def _targets(given: object) -> tuple[Target, ...]:
    if not isinstance(given, list) or not 1 <= len(given) <= limits.MAX_RETRACTION_TARGETS:
        raise MalformedRetraction(f"targets of a retraction must list 1 to {limits.MAX_RETRACTION_TARGETS} objects")
    targets = tuple(_target(one) for one in given)
    if len({target.stix_id for target in targets}) != len(targets):
        raise MalformedRetraction("targets of a retraction must name each object once")
    return targets


def _target(given: object) -> Target:
    if not isinstance(given, Mapping) or not {"id", "versions"}.issuperset(given):
        raise MalformedRetraction("each target of a retraction must be an object with id, and versions if not all")
    stix_id = given.get("id")
    if not isinstance(stix_id, str) or not STIX_ID.fullmatch(stix_id):
        raise MalformedRetraction("id of each target of a retraction must be a STIX id")
    if "versions" not in given:
        return Target(stix_id)
    versions = given["versions"]
    if not isinstance(versions, list) or not 1 <= len(versions) <= limits.MAX_RETRACTION_TARGETS:
        raise MalformedRetraction(
            f"versions of a target must list 1 to {limits.MAX_RETRACTION_TARGETS} versions: leave it out to mean all"
        )
    if not all(isinstance(one, str) and (_SHA256.fullmatch(one) or is_timestamp(one)) for one in versions):
        raise MalformedRetraction(
            "versions of a target must be STIX timestamps, or the hexadecimal SHA-256 of an object without versions"
        )
    if len(set(versions)) != len(versions):
        raise MalformedRetraction("versions of a target must be different ones")
    return Target(stix_id, tuple(versions))


def _contents(extension: Mapping[str, Any], targets: Sequence[Target]) -> bool:
    contents = extension.get("contents", False)
    if not isinstance(contents, bool):
        raise MalformedRetraction("contents of a retraction must be true or false")
    if contents and any(
        target.versions is not None or target.stix_id.partition("--")[0] not in WITH_CONTENTS for target in targets
    ):
        raise MalformedRetraction(f"contents of a retraction goes with whole objects of: {', '.join(WITH_CONTENTS)}")
    return contents


def _reason(extension: Mapping[str, Any]) -> str | None:
    if "reason" not in extension:
        return None
    reason = extension["reason"]
    if not isinstance(reason, str):
        raise MalformedRetraction("reason of a retraction must be a text")
    try:
        return naming.line(reason, "reason", limits.MAX_REASON_LENGTH)
    except InvalidRequest as error:
        raise MalformedRetraction(
            f"reason of a retraction must be one line of 1 to {limits.MAX_REASON_LENGTH} characters"
        ) from error


def _act(extension: Mapping[str, Any]) -> str | None:
    if "act" not in extension:
        return None
    act = extension["act"]
    if not isinstance(act, str) or not _UUID4.fullmatch(act):
        raise MalformedRetraction("act of a retraction must be a UUID of version 4")
    return act


EXTENSION_DEFINITION: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "type": "extension-definition",
        "spec_version": "2.1",
        "id": EXTENSION_ID,
        "created_by_ref": PROJECT_IDENTITY_ID,
        "created": "2026-11-22T00:00:00.000Z",
        "modified": "2026-11-22T00:00:00.000Z",
        "name": "Retraction",
        "description": "Makes a note a retraction: it says which objects, or which versions of them, are withdrawn, how"
        " that came about and why. Whoever has them removes them.",
        "schema": "schemas/hub/retraction.schema.json",
        "version": "1.0.0",
        "extension_types": ["property-extension"],
    }
)
"""The extension-definition object (STIX 2.1 §7.3), for readers who meet the note and do not know it."""
