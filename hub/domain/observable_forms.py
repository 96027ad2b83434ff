"""The written forms of observables that lists and reports are full of, and the one form STIX wants of each.

Every function takes a text without white space around it that is already refanged, and returns None for what it is not.
None of them searches: each looks at the whole text once, so the time is linear in its length.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from hub.domain import limits
from hub.domain.name_endings import FILE_EXTENSIONS


class ObservableType(StrEnum):
    """What a text can be: STIX names where STIX has one; `hub.domain.observable_stix` says what becomes of each."""

    IPV4 = "ipv4-addr"
    IPV6 = "ipv6-addr"
    DOMAIN = "domain-name"
    URL = "url"
    EMAIL = "email-addr"
    MD5 = "MD5"
    SHA1 = "SHA-1"
    SHA256 = "SHA-256"
    SHA512 = "SHA-512"
    CVE = "cve"
    MAC = "mac-addr"
    AS = "autonomous-system"
    FILE_NAME = "file-name"


@dataclass(frozen=True, slots=True)
class Observable:
    """One observable in its normal form.

    :param value: addresses compressed and networks with a prefix; names in lower-case A-labels (RFC 5890); hashes and
        MAC addresses in lower case; ``CVE-…`` and ``AS…`` in upper case.
    :param port: what stood behind an address or a name.
    :param guessed: something was supplied that did not stand there: ``http://`` before an address with a path.
    """

    type: ObservableType
    value: str
    port: int | None = None
    guessed: bool = False


_IPV4: Final = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:/(\d{1,2}))?(?::(\d{1,5}))?", re.ASCII)
_IPV6: Final = re.compile(r"[0-9a-fA-F:.]{2,45}(?:/(\d{1,3}))?", re.ASCII)
_BRACKETED: Final = re.compile(r"\[([0-9a-fA-F:.]{2,45})\](?::(\d{1,5}))?", re.ASCII)
_HEX: Final = re.compile(r"[0-9a-fA-F]{32,128}", re.ASCII)
_CVE: Final = re.compile(r"CVE-(\d{4})-(\d{4,19})", re.ASCII | re.IGNORECASE)
_AS: Final = re.compile(r"ASN? ?(\d{1,10})", re.ASCII | re.IGNORECASE)
_MAC: Final = re.compile(
    r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}|[0-9a-f]{2}(?:-[0-9a-f]{2}){5}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}",
    re.ASCII | re.IGNORECASE,
)
_LOCAL_PART: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++)*+", re.ASCII)
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+-]{1,20})://", re.ASCII | re.IGNORECASE)
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_LAST_LABEL: Final = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{1,58}[a-z0-9]", re.ASCII)
_HOST_END: Final = re.compile(r"[/?#\\]")
_NOT_IN_URL: Final = re.compile(r"[\s<>\"\x00-\x1f\x7f]")
_BARE_PERCENT: Final = re.compile(r"%(?![0-9a-fA-F]{2})")
_FILE_NAME: Final = re.compile(r"[^\\/:*?\"<>|\x00-\x1f]{1,200}\.([A-Za-z0-9]{1,8})")
_DOTS: Final = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})
_BY_LENGTH: Final = {
    32: ObservableType.MD5,
    40: ObservableType.SHA1,
    64: ObservableType.SHA256,
    128: ObservableType.SHA512,
}
_LAST_AS: Final = 2**32 - 1


def ip_address(text: str) -> Observable | None:
    """Return an IPv4 or IPv6 address or network; the bits behind a prefix are cleared, and /32 and /128 left out."""
    return _ipv4(text) or _ipv6(text)


def _ipv4(text: str) -> Observable | None:
    match = _IPV4.fullmatch(text)
    if match is None:
        return None
    octets, prefix, port = match.groups()[:4], match[5], _port(match[6])
    # A leading zero means octal to some readers and nothing to others: nobody can say which address is meant.
    if any((len(octet) > 1 and octet[0] == "0") or int(octet) > 255 for octet in octets) or port == _NO_PORT:
        return None
    value = ".".join(octets)
    if prefix is not None:
        if int(prefix) > 32 or port is not None:
            return None
        if int(prefix) < 32:
            value = str(ipaddress.IPv4Network((value, int(prefix)), strict=False))
    return Observable(ObservableType.IPV4, value, port)


def _ipv6(text: str) -> Observable | None:
    port = None
    bracketed = _BRACKETED.fullmatch(text)
    if bracketed is not None:
        text, port = bracketed[1], _port(bracketed[2])
    match = _IPV6.fullmatch(text)
    if match is None or port == _NO_PORT or text.count(":") < 2:
        return None
    address, _, prefix = text.partition("/")
    try:
        if prefix and int(prefix) < 128:
            network = ipaddress.IPv6Network((address, int(prefix)), strict=False)
            return Observable(ObservableType.IPV6, f"{_ipv6_text(network.network_address)}/{network.prefixlen}")
        if prefix and int(prefix) > 128:
            return None
        return Observable(ObservableType.IPV6, _ipv6_text(ipaddress.IPv6Address(address)), port)
    except ValueError:
        return None


def _ipv6_text(address: ipaddress.IPv6Address) -> str:
    """Return the RFC 5952 form; Python 3.13 writes mapped addresses otherwise than 3.11, and ids are made of it."""
    mapped = address.ipv4_mapped
    return str(address) if mapped is None else f"::ffff:{mapped}"


_NO_PORT: Final = -1


def _port(digits: str | None) -> int | None:
    if digits is None:
        return None
    return int(digits) if 0 < int(digits) < 65_536 else _NO_PORT


def domain_name(text: str) -> Observable | None:
    """Return a host name of two labels or more, in A-labels and without its final dot, and its port."""
    name, colon, digits = text.partition(":")
    port = _port(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else None
    if colon and (port is None or port == _NO_PORT):
        return None
    ascii_name = host_name(name)
    if ascii_name is None or "." not in ascii_name:
        return None
    return Observable(ObservableType.DOMAIN, ascii_name, port)


def host_name(text: str) -> str | None:
    """Return a host name in lower-case A-labels (RFC 5891), None for what no name server would be asked for."""
    if not 0 < len(text) <= 1_024:  # 253 octets; what is longer cannot shrink to that
        return None
    name = text.translate(_DOTS).removesuffix(".")
    if not name.isascii():
        name = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).lower())
    labels = [_a_label(label) for label in name.lower().split(".")]
    if None in labels:
        return None
    made = ".".join(label for label in labels if label is not None)
    if len(made) > 253 or (len(labels) > 1 and _LAST_LABEL.fullmatch(made.rpartition(".")[2]) is None):
        return None
    return made


def _a_label(label: str) -> str | None:
    if label.isascii():
        return label if _LABEL.fullmatch(label) else None
    if len(label) > 63 or any(unicodedata.category(one)[0] not in "LMN" and one != "-" for one in label):
        return None
    made = "xn--" + label.encode("punycode").decode("ascii")
    return made if _LABEL.fullmatch(made) else None


def url(text: str) -> Observable | None:
    """Return a URL with an authority: its scheme and host in lower case (RFC 3986 §6.2.2.1), the rest as it stands.

    What a URL may not hold, letters beyond ASCII above all, is percent-encoded (RFC 3987 §3.1).
    """
    match = _SCHEME.match(text)
    if match is None or len(text) > limits.OBSERVABLE_LENGTH or _NOT_IN_URL.search(text):
        return None
    rest = text[match.end() :]
    end = _HOST_END.search(rest)
    authority, tail = (rest, "") if end is None else (rest[: end.start()], rest[end.start() :])
    user, at, host_port = authority.rpartition("@")
    written = _authority(host_port)
    if written is None:
        return None
    return Observable(ObservableType.URL, f"{match[1].lower()}://{_encoded(user, '')}{at}{written}{_encoded(tail)}")


def _encoded(part: str, allowed: str = "/?@") -> str:
    before, hash_, fragment = part.partition("#")
    return "".join(
        (
            quote(_BARE_PERCENT.sub("%25", before), safe=f"%{allowed}:!$&'()*+,;=-._~", errors="replace"),
            hash_,
            quote(_BARE_PERCENT.sub("%25", fragment), safe="%/?@:!$&'()*+,;=-._~", errors="replace"),
        )
    )


def _authority(host_port: str) -> str | None:
    """Return a host, and its port if there is one, in normal form."""
    address = ip_address(host_port)
    if address is not None and "/" not in address.value:
        host = f"[{address.value}]" if address.type is ObservableType.IPV6 else address.value
        if address.type is ObservableType.IPV6 and not host_port.startswith("["):
            return None
        return host if address.port is None else f"{host}:{address.port}"
    host, _, digits = host_port.partition(":")
    name = host_name(host)
    if name is None or name.replace(".", "").isdigit():
        return None
    if not digits:
        return name
    port = _port(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else _NO_PORT
    return None if port == _NO_PORT else f"{name}:{port}"


def url_without_scheme(text: str) -> Observable | None:
    """Return ``host/path`` as an ``http`` URL, which is a guess."""
    host, slash, path = text.partition("/")
    if not slash or (path.isascii() and path.isdigit()):  # that would be a prefix, and a wrong one
        return None
    if domain_name(host) is None and _ipv4(host) is None:
        return None
    made = url(f"http://{text}")
    return None if made is None else Observable(ObservableType.URL, made.value, guessed=True)


def email_address(text: str) -> Observable | None:
    """Return an e-mail address: its local part as it stands, its domain in A-labels."""
    if text[:7].lower() == "mailto:":
        text = text[7:]
    local, at, domain = text.rpartition("@")
    if not at or len(local) > 64 or _LOCAL_PART.fullmatch(local) is None:
        return None
    name = host_name(domain)
    if name is None or "." not in name:
        return None
    return Observable(ObservableType.EMAIL, f"{local}@{name}")


def file_hash(text: str) -> Observable | None:
    """Return an MD5, SHA-1, SHA-256 or SHA-512, told by its length."""
    if len(text) not in _BY_LENGTH or _HEX.fullmatch(text) is None:
        return None
    return Observable(_BY_LENGTH[len(text)], text.lower())


def cve(text: str) -> Observable | None:
    """Return the id of a vulnerability."""
    return Observable(ObservableType.CVE, text.upper()) if _CVE.fullmatch(text) else None


def mac_address(text: str) -> Observable | None:
    """Return a MAC address, with colons (STIX 2.1 §6.9)."""
    if _MAC.fullmatch(text) is None:
        return None
    digits = text.lower().replace(":", "").replace("-", "").replace(".", "")
    return Observable(ObservableType.MAC, ":".join(digits[at : at + 2] for at in range(0, 12, 2)))


def autonomous_system(text: str) -> Observable | None:
    """Return ``AS`` and a number of 32 bits, not zero."""
    match = _AS.fullmatch(text)
    if match is None or not 0 < int(match[1]) <= _LAST_AS:
        return None
    return Observable(ObservableType.AS, f"AS{int(match[1])}")


def file_name(text: str) -> Observable | None:
    """Return the name of a file, without a folder, that has one of the endings in `FILE_EXTENSIONS`."""
    match = _FILE_NAME.fullmatch(text)
    if match is None or match[1].lower() not in FILE_EXTENSIONS:
        return None
    return Observable(ObservableType.FILE_NAME, text)
