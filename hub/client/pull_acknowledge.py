"""What `cybex pull --acknowledge` confirms of a page: kept, refused, or removed after a verified notice."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hub.client.acknowledge import Queue, Said, Signer
from hub.domain import limits, retraction
from hub.domain.acknowledgement import EVERY_VERSION
from hub.domain.bundle_verification import Checked, Status
from hub.domain.canonical import Json, jcs, parse
from hub.domain.retraction import MalformedRetraction, Retraction
from hub.domain.signature_profile import SIGNATURE_TYPE, related_version
from hub.errors import ConfigError, MalformedJson

_Stix = Mapping[str, Json]
_BUNDLES: Final = ("after-*.json", "from-the-start*.json")


@dataclass(slots=True)
class PageAcknowledger:
    """Notes what is to be confirmed of each page before the bookmark moves behind it, so that a crash repeats it.

    :param directory: of the pull. A notice by the hub or the author removes what it withdraws from the bundles there.
    """

    queue: Queue
    signer: Signer
    directory: Path

    def __call__(
        self, checked: Sequence[Checked], refused: frozenset[tuple[str, str]], objects: Sequence[_Stix]
    ) -> None:
        """Keep the acknowledgements of one page; they are on disk when this returns."""
        said = [_said(one, refused) for one in checked]
        verified = {(one.id, one.version) for one in checked if one.status is Status.VERIFIED} - refused
        for obj in objects:
            if (str(obj.get("id")), related_version(obj)) in verified and retraction.is_retraction(obj):
                said += self._removed(obj)
        self.queue.add([self.signer.sign(one) for one in said])

    def _removed(self, note: _Stix) -> Iterator[Said]:
        try:
            notice = retraction.read(note)
        except MalformedRetraction:
            return  # it is kept as the note that it is; what it does not say is not confirmed
        remove(self.directory, notice, str(note.get("created_by_ref")), hub=self.signer.hub)
        for target in notice.targets:
            for version in target.versions or (EVERY_VERSION,):
                yield Said(target.stix_id, version, "removed")


def remove(directory: Path, notice: Retraction, by: str, *, hub: str) -> int:
    """Remove what a verified notice withdraws, and the signatures over it, from every bundle; return how many objects.

    :param by: STIX identity of who signed the notice. It has to be the hub, or the author of what goes.
    """
    targets = {target.stix_id: target.versions for target in notice.targets}

    def goes(obj: _Stix) -> bool:
        signature = obj.get("type") == SIGNATURE_TYPE
        stix_id = str(obj.get("related_to") if signature else obj.get("id"))
        if stix_id not in targets:
            return False
        if not signature and by not in (hub, obj.get("created_by_ref", by)):
            return False
        versions = targets[stix_id]
        return versions is None or str(obj.get("related_version") if signature else related_version(obj)) in versions

    gone = 0
    for pattern in _BUNDLES:
        for path in sorted(directory.glob(pattern)):
            gone += _rewrite(path, goes)
    return gone


def _said(one: Checked, refused: frozenset[tuple[str, str]]) -> Said:
    if (one.id, one.version) in refused:
        return Said(one.id, one.version, "refused", one.reason[: limits.MAX_REASON_LENGTH])
    return Said(one.id, one.version, "verified" if one.status is Status.VERIFIED else "stored")


def _rewrite(path: Path, goes: Callable[[_Stix], bool]) -> int:
    try:
        bundle = parse(path.read_bytes())
        objects = bundle.get("objects") if isinstance(bundle, dict) else None
        if not isinstance(bundle, dict) or not isinstance(objects, list):
            return 0
        rest = [obj for obj in objects if not (isinstance(obj, dict) and goes(obj))]
        if len(rest) == len(objects):
            return 0
        aside = path.with_name(path.name + ".part")
        with aside.open("wb") as file:
            head = b'{"id":' + jcs(bundle.get("id")) + b',"objects":[\n'
            file.write(head + b",\n".join(jcs(obj) for obj in rest) + b'\n],"type":"bundle"}\n')
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        return len(objects) - len(rest)
    except (OSError, MalformedJson):
        raise ConfigError(f"{path} cannot be rewritten, and something in it was withdrawn", field="out") from None
