"""The whole error tree: one class per thing that can go wrong, with a stable code and, for HTTP, one status.

``title`` is what a stranger may read: it never echoes input. ``detail`` names the field or rule at fault and says what
to do next; it never carries content either. Web maps ``status`` straight to the answer; the CLI prints and exits 1.
"""

from __future__ import annotations

from typing import ClassVar


class CybexError(Exception):
    """Something the caller, the operator or the peer can act on.

    :param detail: names the field or rule at fault and what to do next; no content of the request.
    :param field: the property, parameter or option at fault, as the caller spelled the *name* (never its value).
    """

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "The request could not be carried out"
    status: ClassVar[int] = 400

    def __init__(self, detail: str = "", *, field: str | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.field = field


class InvalidRequest(CybexError):
    """A header, parameter or option does not have the form it must have."""

    code = "invalid-request"
    title = "The request is malformed"
    status = 400


class MalformedJson(InvalidRequest):
    """The bytes are not I-JSON (RFC 7493): duplicate names, NaN, large integers, lone surrogates, depth."""

    code = "malformed-json"
    title = "The body is not I-JSON"


class Unauthenticated(CybexError):
    """No credential, or one that is unknown, expired or revoked."""

    code = "unauthenticated"
    title = "Authentication is required"
    status = 401


class Forbidden(CybexError):
    """The caller may know of the resource, but may not do this with it."""

    code = "forbidden"
    title = "This is not permitted"
    status = 403


class NotFound(CybexError):
    """It does not exist, or the caller may not know that it does: the answer is the same."""

    code = "not-found"
    title = "Not found"
    status = 404


class MethodNotAllowed(CybexError):
    """The resource exists but has no such method."""

    code = "method-not-allowed"
    title = "This method is not allowed here"
    status = 405


class NotAcceptable(CybexError):
    """None of the media types the caller accepts can be produced."""

    code = "not-acceptable"
    title = "No acceptable media type"
    status = 406


class Conflict(CybexError):
    """What is to be made exists already, or has changed meanwhile."""

    code = "conflict"
    title = "It conflicts with what exists"
    status = 409


class TooLarge(CybexError):
    """The decoded body is longer than ``max_content_length``."""

    code = "too-large"
    title = "The body is too large"
    status = 413


class UriTooLong(CybexError):
    """The request target is longer than the hub reads."""

    code = "uri-too-long"
    title = "The request target is too long"
    status = 414


class UnsupportedMediaType(CybexError):
    """The body's media type or content coding is not one this resource takes."""

    code = "unsupported-media-type"
    title = "Unsupported media type"
    status = 415


class Unprocessable(CybexError):
    """The body is JSON, but not the resource that is expected here."""

    code = "unprocessable"
    title = "The body cannot be processed"
    status = 422


class TooManyRequests(CybexError):
    """The peer has used up what it may have in this time, or at once (RFC 6585 §4).

    :param retry_after: seconds after which it is worth trying again.
    :param headers: more headers of the answer, such as those of a quota.
    """

    code = "too-many-requests"
    title = "There is too much of it at once"
    status = 429

    def __init__(
        self, detail: str, *, retry_after: int, field: str | None = None, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(detail, field=field)
        self.retry_after = retry_after
        self.headers = headers


class Busy(CybexError):
    """The hub is over capacity or its database is not reachable; the caller should retry."""

    code = "busy"
    title = "The hub is busy, please retry"
    status = 503


class SignatureError(CybexError):
    """A signature object is not well-formed X.590, or a key cannot be used. Not raised for a mere mismatch."""

    code = "signature"
    title = "The signature cannot be processed"


class ReceiptError(CybexError):
    """A receipt does not prove what it should: it is forged, of something else, or at odds with the status."""

    code = "receipt"
    title = "The receipt does not hold"


class ConfigError(CybexError):
    """``hub.toml``, the environment or a key file is missing or wrong; ``detail`` says how to mend it."""

    code = "config"
    title = "The configuration is not usable"


class LogInconsistent(CybexError):
    """What is stored of the transparency log contradicts what was signed of it; nothing more may be signed."""

    code = "log-inconsistent"
    title = "The log contradicts its last checkpoint"
    status = 503
