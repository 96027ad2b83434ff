"""What the other side did not do, in words for whoever has to mend it."""

from __future__ import annotations

from typing import Final

from hub.domain.canonical import parse
from hub.errors import CybexError, MalformedJson


class RemoteError(CybexError):
    """The other side refused, or could not be reached; ``detail`` is what it said, shortened, and what to do."""

    code = "remote"
    title = "The other side did not do it"

    def __init__(self, detail: str, *, http_status: int | None = None) -> None:
        super().__init__(detail)
        self.http_status = http_status


HINTS: Final = {
    401: "check the credential: it may have expired or been revoked",
    403: "this credential does not have that right there; ask the group's moderator",
    404: "there is no such place for this credential; check the API root and the collection",
    413: "the envelope is too large; give a smaller --batch",
}


def refusal(status: int, raw: bytes) -> str:
    """Return what an answer that is no success says, with what to do about it."""
    said = ""
    try:
        body = parse(raw)
    except MalformedJson:
        body = None
    if isinstance(body, dict):
        parts = [body.get("title"), body.get("description") or body.get("detail")]
        said = ": ".join(
            "".join(ch for ch in part if ch.isprintable())[:300] for part in parts if isinstance(part, str)
        )
    hint = HINTS.get(status)
    return "; ".join(part for part in (f"{status} {said}".strip(), hint) if part)
