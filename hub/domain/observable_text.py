"""Reads observables the way analysts write them: defanged, in lists, in the middle of a sentence.

`refang` undoes what was done so that nobody clicks, `detect` says what one text is, `find_all` finds what a text holds.
All three look at every character a bounded number of times: no text makes them slow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from hub.domain import limits
from hub.domain.name_endings import FILE_EXTENSIONS, LIKELY_ENDINGS
from hub.domain.observable_forms import (
    Observable,
    ObservableType,
    autonomous_system,
    cve,
    domain_name,
    email_address,
    file_hash,
    file_name,
    ip_address,
    mac_address,
    url,
    url_without_scheme,
)

__all__ = ["Found", "Observable", "ObservableType", "detect", "find_all", "is_type", "refang"]

_OPEN, _CLOSE = r"[\[({<]", r"[\])}>]"
_DEFANGED: Final = re.compile(
    rf"(?P<dot>[ \t]?{_OPEN}[ \t]?(?:\.|dot|punkt|d0t)[ \t]?{_CLOSE}[ \t]?|\[\.|\.\]|\\\.)"
    rf"|(?P<at>[ \t]?{_OPEN}[ \t]?(?:@|at)[ \t]?{_CLOSE}[ \t]?)"
    rf"|(?P<scheme>{_OPEN}?:{_CLOSE}?(?://|\\\\){_CLOSE}?|{_OPEN}://{_CLOSE}|:{_OPEN}//{_CLOSE})"
    rf"|(?P<colon>{_OPEN}:{_CLOSE})"
    rf"|(?P<slash>{_OPEN}/{_CLOSE})"
    r"|(?P<unseen>[\u200b\u200c\u200d\u2060\ufeff\u00ad])",
    re.IGNORECASE,
)
_PLAIN: Final[Mapping[str, str]] = MappingProxyType(
    {"dot": ".", "at": "@", "scheme": "://", "colon": ":", "slash": "/", "unseen": ""}
)
_SCHEMES: Final = re.compile(
    r"(?P<http>h(?:xx|tt|\*\*|\+\+|XX)p|meow|http_)(?P<s>s?)://|(?P<ftp>f(?:xp|\*p))(?P<fs>s?)://", re.IGNORECASE
)


def refang(text: str) -> str:
    """Return a text with ``hxxp``, ``[.]``, ``(dot)``, ``[at]``, ``[:]//`` and their like put back."""
    plain = _DEFANGED.sub(_replaced, text)
    return _SCHEMES.sub(_scheme, plain)


def _replaced(match: re.Match[str]) -> str:
    return _PLAIN[match.lastgroup or "unseen"]


def _scheme(match: re.Match[str]) -> str:
    if match["ftp"]:
        return f"ftp{match['fs'].lower()}://"
    return f"http{match['s'].lower()}://"


_FORMS: Final[tuple[Callable[[str], Observable | None], ...]] = (
    file_hash,
    cve,
    autonomous_system,
    mac_address,
    ip_address,
    url,
    email_address,
)


def detect(text: str) -> Observable | None:
    """Return what a whole text is, None when it is no observable.

    A name that ends like a file (``invoice.zip``) is a file, unless it was defanged: nobody defangs a file.
    """
    given = text.strip()
    if not 0 < len(given) <= limits.OBSERVABLE_LENGTH:
        return None
    plain = refang(given).strip()
    for form in _FORMS:
        found = form(plain)
        if found is not None:
            return found
    ending = plain.rpartition(".")[2].lower()
    if ending in FILE_EXTENSIONS and plain == given:
        return file_name(plain) or url_without_scheme(plain)
    return domain_name(plain) or url_without_scheme(plain) or file_name(plain)


_BY_TYPE: Final[Mapping[ObservableType, Callable[[str], Observable | None]]] = MappingProxyType(
    {
        ObservableType.IPV4: ip_address,
        ObservableType.IPV6: ip_address,
        ObservableType.DOMAIN: domain_name,
        ObservableType.EMAIL: email_address,
        ObservableType.MD5: file_hash,
        ObservableType.SHA1: file_hash,
        ObservableType.SHA256: file_hash,
        ObservableType.SHA512: file_hash,
        ObservableType.CVE: cve,
        ObservableType.MAC: mac_address,
    }
)


def is_type(text: str, kind: ObservableType) -> Observable | None:
    """Return a text as an observable of a type that is known from elsewhere, None when it has not its form."""
    given = text.strip()
    if not 0 < len(given) <= limits.OBSERVABLE_LENGTH:
        return None
    plain = refang(given).strip()
    if kind is ObservableType.FILE_NAME:  # any ending will do when somebody says that it is one
        good = len(given) <= 255 and not any(one in '/\\"<>|\x00' or not one.isprintable() for one in given)
        return Observable(kind, given) if good else None
    if kind is ObservableType.URL:
        return url(plain) or url_without_scheme(plain)
    if kind is ObservableType.AS:
        return autonomous_system(plain) or (autonomous_system(f"AS{plain}") if plain.isdigit() else None)
    found = _BY_TYPE[kind](plain)
    return found if found is not None and found.type is kind else None


@dataclass(frozen=True, slots=True)
class Found:
    """An observable in a text.

    :param span: where it stands, as characters of the text; what stands there may be defanged.
    """

    observable: Observable
    span: tuple[int, int]

    @property
    def value(self) -> str:
        """Its normal form."""
        return self.observable.value

    @property
    def type(self) -> ObservableType:
        """What it is."""
        return self.observable.type


_DOT = rf"[ \t]?{_OPEN}[ \t]?(?:\.|dot|at|@|:|/|://|//)[ \t]?{_CLOSE}[ \t]?"
# Possessive: what a run has taken it keeps, so a long text without an observable costs one pass.
_RUN: Final = re.compile(rf"(?:{_DOT}|[^\s<>\"“”„«»`\x00-\x1f\x7f])++", re.IGNORECASE)
_PART: Final = re.compile(rf"(?:{_DOT}|[^\s,;=|'()\[\]{{}}→])++", re.IGNORECASE)
_SCHEME_START = r"[A-Za-z*+_]{2,12}(?:[\[(]?:[\])]?(?://|\\\\)|\[://|:\[//)"
_URL_START: Final = re.compile(_SCHEME_START, re.ASCII)
_NEXT_URL: Final = re.compile(rf"[,;|](?={_SCHEME_START})", re.ASCII)
_BEFORE: Final = "([{<'*_~#\"‘’-"
_SENTENCE: Final = ".,;:!?'\"’…-"
_BEHIND: Final = ".,;:!?)]}>'*_~\"‘’…-"


def find_all(text: str) -> list[Found]:
    """Return the observables in a text, in their order; those that overlap are not given twice.

    Only the first `limits.FIND_TEXT_LENGTH` characters are looked at. A bare host name counts only under a country code
    or a well-known ending, or when it is defanged: a dot without a space behind a sentence is no host name.
    """
    found: list[Found] = []
    for run in _RUN.finditer(text[: limits.FIND_TEXT_LENGTH]):
        start = 0
        for cut in _NEXT_URL.finditer(run[0]):
            found.extend(_in_run(run[0][start : cut.start()], run.start() + start))
            start = cut.start() + 1
        found.extend(_in_run(run[0][start:], run.start() + start))
    return found


def _in_run(run: str, offset: int) -> Iterator[Found]:
    whole = _trimmed(run, offset)
    if whole is not None:
        yield whole
        return
    start = _URL_START.search(run)
    if start is not None and start.start() > 0:
        yield from _in_parts(run[: start.start()], offset)
        yield from _urls(run[start.start() :], offset + start.start())
    elif start is not None:
        yield from _urls(run, offset)
    else:
        yield from _in_parts(run, offset)


def _urls(run: str, offset: int) -> Iterator[Found]:
    """Take a run that starts with a URL: as a whole, else up to what cannot be part of it."""
    whole = _trimmed(run, offset)
    if whole is not None:
        yield whole
    else:
        yield from _in_parts(run, offset)


def _in_parts(run: str, offset: int) -> Iterator[Found]:
    for part in _PART.finditer(run):
        found = _trimmed(part[0], offset + part.start())
        if found is None:
            label, colon, rest = part[0].partition(":")
            if colon:  # src:192.0.2.1
                found = _trimmed(rest, offset + part.start() + len(label) + 1)
        if found is not None:
            yield found


def _trimmed(text: str, offset: int) -> Found | None:
    """Return what a text is, without the punctuation around it if need be."""
    start, end = 0, len(text)
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    given = text[start:end]
    inner = _ended(given.lstrip(_BEFORE))
    for candidate in dict.fromkeys((given, given.rstrip(_SENTENCE), inner, given.strip(_BEFORE + _BEHIND))):
        if len(candidate) < 3:
            continue
        observable = detect(candidate)
        if observable is not None and _plausible(observable, candidate):
            at = offset + start + given.find(candidate)
            return Found(observable, (at, at + len(candidate)))
    return None


def _ended(text: str) -> str:
    """Return a text without the punctuation behind it, but with the closing brackets that were opened in it."""
    for _ in range(4):  # "…)." and the like; what has more behind it is no sentence
        text = text.rstrip(_SENTENCE)
        if not text or text[-1] not in ")]}" or _balanced(text):
            break
        text = text[:-1]
    return text


def _plausible(observable: Observable, written: str) -> bool:
    """Say whether prose can mean this: nothing ends in the punctuation of a sentence, a bare name in a known ending."""
    if written[-1] in _SENTENCE or (written[-1] in ")]}" and not _balanced(written)):
        return False
    if observable.type is ObservableType.DOMAIN or observable.guessed:
        host = observable.value.removeprefix("http://").partition("/")[0].partition(":")[0]
        return refang(written) != written or _known_ending(host)
    return True


def _balanced(written: str) -> bool:
    """Say whether a closing bracket at the end belongs to one that was opened: https://example.org/a_(b)."""
    opening = {")": "(", "]": "[", "}": "{"}[written[-1]]
    return written.count(opening) == written.count(written[-1])


def _known_ending(host: str) -> bool:
    ending = host.rpartition(".")[2]
    return ending in LIKELY_ENDINGS or ending.startswith("xn--") or host.replace(".", "").isdigit()
