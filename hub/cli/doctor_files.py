"""What `cybex doctor` finds without the database: settings, secrets, the door, TLS, the disk."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from typing import Final

from cryptography import x509

from hub import config
from hub.cli.finding import Finding, Level, days_left, expiry
from hub.cli.serve import is_loopback, refuse_bad_tls
from hub.config import Settings
from hub.errors import CybexError

FREE_BYTES: Final = 1024**3
FREE_BYTES_LEAST: Final = 128 * 1024**2


def secrets(settings: Settings, now: int) -> Iterator[Finding]:
    del now
    try:
        config.load_secrets(settings)
        yield Finding("secrets", "ok", "present, and readable by their owner only")
    except CybexError as error:
        yield Finding("secrets", "fail", error.detail, "cybex init makes what is missing; cybex restore brings it back")
    if settings.file.is_file() and stat.S_IMODE(settings.file.stat().st_mode) & 0o022:
        yield Finding("configuration", "fail", "others may change it", f"chmod 600 {settings.file}")


def door(settings: Settings, now: int) -> Iterator[Finding]:
    del now
    server = settings.server
    if settings.tls_files is None and not server.behind_proxy and not is_loopback(server.host):
        remedy = "set [tls] certificate and key, or behind_proxy = true"
        yield Finding("address", "fail", "the hub would refuse to serve: neither TLS nor a proxy", remedy)
    elif server.behind_proxy and not server.trusted_proxies:
        remedy = "set trusted_proxies to the proxy's address"
        yield Finding("address", "warn", "behind_proxy, but no proxy is trusted: all callers look like it", remedy)
    else:
        yield Finding("address", "ok", f"{server.host} port {server.port}")


def tls(settings: Settings, now: int) -> Iterator[Finding]:
    if settings.tls_files is None:
        return
    try:
        refuse_bad_tls(settings)
        certificate = x509.load_pem_x509_certificates(settings.tls_files[0].read_bytes())[0]
    except (CybexError, ValueError) as error:
        text = error.detail if isinstance(error, CybexError) else "the certificate is not PEM"
        yield Finding("tls", "fail", text, "mend [tls] in hub.toml")
        return
    days = days_left(certificate.not_valid_after_utc.timestamp(), now)
    text = "the certificate has expired" if days < 0 else f"the certificate ends in {days} days"
    yield Finding("tls", expiry(days), text, "" if expiry(days) == "ok" else "renew it, then restart the hub")
    if stat.S_IMODE(settings.tls_files[1].stat().st_mode) & 0o077:
        yield Finding("tls", "warn", "others may read the key", f"chmod 600 {settings.tls_files[1]}")


def disk(settings: Settings, now: int) -> Iterator[Finding]:
    del now
    free = shutil.disk_usage(settings.data if settings.data.exists() else "/").free
    text = f"{free // 1024**2} MiB free under {settings.data}"
    level: Level = "fail" if free < FREE_BYTES_LEAST else "warn" if free < FREE_BYTES else "ok"
    yield Finding("disk", level, text, "" if level == "ok" else "make room: a full disk stops every submission")
