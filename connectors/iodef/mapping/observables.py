"""Addresses, domains, files and registry keys of IODEF as cyber-observables of STIX, and back."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

HASHES: Final[Mapping[str, str]] = {
    "http://www.w3.org/2001/04/xmldsig-more#md5": "MD5",
    "http://www.w3.org/2000/09/xmldsig#sha1": "SHA-1",
    "http://www.w3.org/2001/04/xmlenc#sha256": "SHA-256",
    "http://www.w3.org/2001/04/xmlenc#sha512": "SHA-512",
}
"""Digest methods of XML Signature (RFC 9231) and the names STIX 2.1 §10.6 has for them."""

METHODS: Final[Mapping[str, str]] = {name: method for method, name in HASHES.items()}
_HEX_LENGTHS: Final = {32: "MD5", 40: "SHA-1", 64: "SHA-256", 128: "SHA-512"}
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_MAIL: Final = re.compile(r"[^\s@]{1,255}@[^\s@]{1,255}")
_MAC: Final = re.compile(r"[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}")
_DOMAIN: Final = re.compile(
    r"(?=.{1,253}\.?$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+[A-Za-z0-9-]{2,63}\.?"
)
_ASN: Final = re.compile(r"(?:AS)?([0-9]{1,10})", re.IGNORECASE)
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}:[^\s]{1,8000}")
_MAX_ASN: Final = 2**32 - 1


def address(category: str, text: str) -> dict[str, Any] | None:
    """Return the observable that an Address of a category is; None when STIX has none, or the value is not one."""
    value = text.strip()
    if category in ("ipv4-addr", "ipv6-addr"):
        return _ip(value, category)
    if category in ("ipv4-net", "ipv6-net", "ipv4-net-mask", "ipv6-net-mask"):
        return _network(value, f"ipv{category[3]}-addr")
    if category == "asn":
        match = _ASN.fullmatch(value)
        number = int(match[1]) if match else _MAX_ASN + 1
        return {"type": "autonomous-system", "number": number} if number <= _MAX_ASN else None
    if category == "e-mail":
        return {"type": "email-addr", "value": value} if _MAIL.fullmatch(value) else None
    if category == "mac":
        return {"type": "mac-addr", "value": value.lower().replace("-", ":")} if _MAC.fullmatch(value) else None
    if category == "site-uri":
        return {"type": "url", "value": value} if _URL.fullmatch(value) else None
    return None


def _ip(value: str, kind: str) -> dict[str, Any] | None:
    try:
        parsed = ipaddress.ip_address(value)
    except ValueError:
        return None
    return {"type": kind, "value": str(parsed)} if f"ipv{parsed.version}-addr" == kind else None


def _network(value: str, kind: str) -> dict[str, Any] | None:
    try:
        parsed = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return None
    return {"type": kind, "value": str(parsed)} if f"ipv{parsed.version}-addr" == kind else None


def domain(text: str) -> dict[str, Any] | None:
    """Return a domain name as an observable."""
    value = text.strip().rstrip(".")
    return {"type": "domain-name", "value": value.lower()} if _DOMAIN.fullmatch(value) else None


def bulk(kind: str, text: str) -> dict[str, Any] | None:
    """Return what one line of a BulkObservable is."""
    value = text.strip()
    if kind == "domain-name":
        return domain(value)
    if kind == "file-hash":
        name = _HEX_LENGTHS.get(len(value)) if _HEX.fullmatch(value) else None
        return {"type": "file", "hashes": {name: value.lower()}} if name else None
    if kind == "windows-reg-key":
        return {"type": "windows-registry-key", "key": registry_key(value)} if value else None
    if kind == "mutex":
        return {"type": "mutex", "name": value} if value else None
    if kind == "user-name":
        return {"type": "user-account", "account_login": value} if value else None
    if kind == "email-subject":
        return {"type": "email-message", "is_multipart": False, "subject": value} if value else None
    return address(kind, value)


def file(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a File as an observable; None without a name and a hash that STIX knows."""
    found = hashes(value.get("HashData", {}))
    name = str(value.get("FileName", "")).strip()
    result: dict[str, Any] = {"type": "file"}
    if found:
        result["hashes"] = found
    if name:
        result["name"] = name
    size = value.get("FileSize")
    if isinstance(size, int) and 0 <= size < 2**53:
        result["size"] = size
    return result if found or name else None


def hashes(value: Mapping[str, Any]) -> dict[str, str]:
    """Return the digests of a HashData over a whole file, as hexadecimal digits by the names of STIX."""
    result: dict[str, str] = {}
    if value.get("scope") not in (None, "file-contents"):
        return result
    for one in value.get("Hash", ()):
        name = HASHES.get(str(one.get("DigestMethod", "")).strip())
        digest = _digits(str(one.get("DigestValue", "")))
        if name and _HEX_LENGTHS.get(len(digest)) == name:
            result[name] = digest
    return result


def _digits(text: str) -> str:
    """Return a digest as hexadecimal digits: XML Signature has base64, and many write the digits as they are."""
    bare = "".join(text.split())
    if _HEX.fullmatch(bare) and len(bare) in _HEX_LENGTHS:
        return bare.lower()
    try:
        return base64.b64decode(bare, validate=True).hex()
    except (binascii.Error, ValueError):
        return ""


_HIVES: Final = {
    "HKLM": "HKEY_LOCAL_MACHINE",
    "HKCU": "HKEY_CURRENT_USER",
    "HKCR": "HKEY_CLASSES_ROOT",
    "HKU": "HKEY_USERS",
    "HKCC": "HKEY_CURRENT_CONFIG",
}


def registry_key(text: str) -> str:
    """Return a key with the name of its hive written out, as STIX 2.1 §6.17 wants it."""
    hive, separator, rest = text.strip().partition("\\")
    return _HIVES.get(hive.upper(), hive) + separator + rest


def registry_keys(value: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the keys of a WindowsRegistryKeysModified."""
    for key in value.get("Key", ()):
        name = registry_key(str(key.get("KeyName", "")))
        if name:
            yield {"type": "windows-registry-key", "key": name}


def node_of(obj: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the Node that an address or domain is; None for any other observable."""
    value = obj.get("value")
    if obj["type"] == "domain-name":
        return {"DomainData": [{"system-status": "unknown", "domain-status": "unknown", "Name": value}]}
    found = address_of(obj)
    return {"Address": [found]} if found else None


def address_of(obj: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the Address that an observable is; None when it is none."""
    kind, value = obj["type"], obj.get("value")
    if kind in ("ipv4-addr", "ipv6-addr") and isinstance(value, str):
        return {"category": f"{kind[:4]}-net" if "/" in value else kind, "value": value}
    if kind == "autonomous-system":
        return {"category": "asn", "value": str(obj.get("number"))}
    category = {"email-addr": "e-mail", "mac-addr": "mac", "url": "site-uri"}.get(kind)
    return {"category": category, "value": value} if category and isinstance(value, str) else None


def file_of(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Return the File that an observable is."""
    result: dict[str, Any] = {}
    if isinstance(obj.get("name"), str):
        result["FileName"] = obj["name"]
    if isinstance(obj.get("size"), int):
        result["FileSize"] = obj["size"]
    found = obj.get("hashes")
    listed = [hash_of(name, digest) for name, digest in found.items()] if isinstance(found, Mapping) else []
    known = [one for one in listed if one]
    if known:
        result["HashData"] = {"scope": "file-contents", "Hash": known}
    return result


def hash_of(name: str, digest: Any) -> dict[str, Any] | None:
    """Return the Hash of a digest in hexadecimal digits; None when XML Signature has no method for it."""
    method = METHODS.get(name)
    if method is None or not isinstance(digest, str) or _HEX_LENGTHS.get(len(digest)) != name:
        return None
    if not _HEX.fullmatch(digest):
        return None
    return {"DigestMethod": method, "DigestValue": base64.b64encode(bytes.fromhex(digest)).decode()}
