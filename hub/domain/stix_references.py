"""Which types a reference may point to, where STIX 2.1 says so; any other reference is free."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hub.domain.stix import SCO_TYPES, STANDARD_TYPES
from hub.domain.stix_problem import Problem, Rule

_IDENTIFIER: Final = re.compile(
    r"[a-z][a-z0-9-]+[a-z0-9]--[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-5][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
)

_ADDRESSES: Final = frozenset({"ipv4-addr", "ipv6-addr", "mac-addr", "domain-name"})
_ANY_OBSERVABLE: Final[frozenset[str]] = frozenset()
"""Any cyber-observable, also new and custom ones: no type that STIX defines otherwise."""

_Targets = tuple[tuple[tuple[str, ...], frozenset[str]], ...]


def _only(*types: str) -> frozenset[str]:
    return frozenset(types)


TARGETS: Final[Mapping[str, _Targets]] = {
    "directory": ((("contains_refs",), _only("file", "directory")),),
    "domain-name": ((("resolves_to_refs",), _only("ipv4-addr", "ipv6-addr", "domain-name")),),
    "email-addr": ((("belongs_to_ref",), _only("user-account")),),
    "email-message": (
        (("from_ref",), _only("email-addr")),
        (("sender_ref",), _only("email-addr")),
        (("to_refs",), _only("email-addr")),
        (("cc_refs",), _only("email-addr")),
        (("bcc_refs",), _only("email-addr")),
        (("raw_email_ref",), _only("artifact")),
        (("body_multipart", "body_raw_ref"), _only("artifact", "file")),
    ),
    "file": (
        (("parent_directory_ref",), _only("directory")),
        (("contains_refs",), _ANY_OBSERVABLE),
        (("content_ref",), _only("artifact")),
        (("extensions", "archive-ext", "contains_refs"), _only("file", "directory")),
    ),
    "ipv4-addr": ((("resolves_to_refs",), _only("mac-addr")), (("belongs_to_refs",), _only("autonomous-system"))),
    "ipv6-addr": ((("resolves_to_refs",), _only("mac-addr")), (("belongs_to_refs",), _only("autonomous-system"))),
    "malware": (
        (("sample_refs",), _only("artifact", "file")),
        (("operating_system_refs",), _only("software")),
    ),
    "malware-analysis": (
        (("host_vm_ref",), _only("software")),
        (("operating_system_ref",), _only("software")),
        (("installed_software_refs",), _only("software")),
        (("analysis_sco_refs",), _ANY_OBSERVABLE),
        (("sample_ref",), _only("artifact", "file", "network-traffic")),
    ),
    "network-traffic": (
        (("src_ref",), _ADDRESSES),
        (("dst_ref",), _ADDRESSES),
        (("src_payload_ref",), _only("artifact")),
        (("dst_payload_ref",), _only("artifact")),
        (("encapsulates_refs",), _only("network-traffic")),
        (("encapsulated_by_ref",), _only("network-traffic")),
        (("extensions", "http-request-ext", "message_body_data_ref"), _only("artifact")),
    ),
    "process": (
        (("opened_connection_refs",), _only("network-traffic")),
        (("creator_user_ref",), _only("user-account")),
        (("image_ref",), _only("file")),
        (("parent_ref",), _only("process")),
        (("child_refs",), _only("process")),
        (("extensions", "windows-service-ext", "service_dll_refs"), _only("file")),
    ),
    "windows-registry-key": ((("creator_user_ref",), _only("user-account")),),
}
"""Path of a reference and the types it may point to (STIX 2.1 §4, §6); what the schemas say is not repeated here."""


def reference_problems(obj: Mapping[str, Any], local: Mapping[str, Any] | None = None) -> Iterator[Problem]:
    """Yield references to types that STIX does not allow there.

    :param local: the ``objects`` of an observed-data, when ``obj`` is one of them: references are then keys of it.
    """
    author = obj.get("created_by_ref")
    if author is not None and isinstance(author, str) and not author.startswith("identity--"):
        yield Problem("created_by_ref", Rule.REFERENCE, "it must be the id of an identity")
    markings = obj.get("object_marking_refs")
    if markings is not None:
        for index, marking in enumerate(markings):
            if not marking.startswith("marking-definition--"):
                field = f"object_marking_refs[{index}]"
                yield Problem(field, Rule.REFERENCE, "it must be the id of a marking-definition")
    for path, allowed in TARGETS.get(obj["type"], ()):
        for field, reference in _found(obj, path, ""):
            if not isinstance(reference, str) or not _points(reference, allowed, local):
                yield Problem(field, Rule.REFERENCE, _wanted(allowed))
    if obj["type"] == "observed-data":
        yield from _observed(obj)


def _observed(obj: Mapping[str, Any]) -> Iterator[Problem]:
    """An observation is of something: at least one reference is to a cyber-observable (STIX 2.1 §4.14)."""
    references = obj.get("object_refs")
    if references is None:
        return
    kinds = {reference.partition("--")[0] for reference in references}
    if kinds <= STANDARD_TYPES and not kinds & SCO_TYPES:
        yield Problem("object_refs", Rule.REFERENCE, "at least one must be the id of a cyber-observable")


def _found(node: Any, path: tuple[str, ...], prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield each reference at a path, with its field; lists on the way and at the end are gone through."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _found(item, path, f"{prefix}[{index}]")
    elif not path:
        yield prefix, node
    elif isinstance(node, Mapping) and path[0] in node:
        yield from _found(node[path[0]], path[1:], f"{prefix}.{path[0]}" if prefix else path[0])


def _points(reference: str, allowed: frozenset[str], local: Mapping[str, Any] | None) -> bool:
    if local is not None and reference in local:
        target = local[reference]
        kind = target.get("type") if isinstance(target, Mapping) else None
    elif _IDENTIFIER.fullmatch(reference):
        kind = reference.partition("--")[0]
    else:
        return False
    if allowed:
        return kind in allowed
    return kind in SCO_TYPES or kind not in STANDARD_TYPES


def _wanted(allowed: frozenset[str]) -> str:
    return f"it must be the id of one of: {', '.join(sorted(allowed)) or 'the cyber-observables'}"
