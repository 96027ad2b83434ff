"""``cybex serve``: TAXII and the API, and on SQLite the worker as well, under one command."""

from __future__ import annotations

import ipaddress
import multiprocessing
import os
import socket
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final, cast

import click
import msgspec
import structlog

from hub import config
from hub.config import Settings
from hub.domain import limits
from hub.errors import ConfigError, CybexError
from hub.services import event_log
from hub.services.parent_process import STOP_SECONDS as WORKER_STOP_SECONDS

log = structlog.get_logger()

STOP_SECONDS: Final = 10
"""How long a request may go on after the signal to stop; longer than any but the largest envelope takes."""

HEADER_MILLISECONDS: Final = 10_000
"""How long a client may take to send its request headers: a thin link needs one second, a slow-loris more."""

CONNECTIONS: Final = limits.WAITING_READERS + 1_024
"""Connections of one process: all that may wait, and as many as granian takes otherwise."""

RESTART_SECONDS: Final = 2.0
PKCS8: Final = b"-----BEGIN PRIVATE KEY-----"


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Data directory (else CYBEX_DATA, else cybex-data).")
@click.option("--host", help="Address to listen on, in place of the one in hub.toml.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on, in place of the one in hub.toml.")
@click.option("--worker/--no-worker", "with_worker", default=None, help="Run the worker too (default: on SQLite only).")
def serve(data: Path | None, host: str | None, port: int | None, with_worker: bool | None) -> None:
    """Serve TAXII and the API until interrupted.

    Example: cybex serve --data /var/lib/cybex
    """
    settings = config.load(data)
    changes = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = msgspec.structs.replace(settings, server=msgspec.structs.replace(settings.server, **changes))
    run(settings, with_worker=settings.embedded if with_worker is None else with_worker)


def run(settings: Settings, *, with_worker: bool) -> None:
    """Serve until SIGTERM or SIGINT; what was being answered is finished. Raises ConfigError before it listens."""
    refuse_open_door(settings)
    refuse_bad_tls(settings)
    config.load_secrets(settings)
    _apart(refuse_old_schema, settings)
    refuse_taken_port(settings)
    config.set_metrics_directory(settings.run / "metrics")
    stop = threading.Event()
    event_log.configure(settings.log.format, settings.log.level)
    # Forked while this process has one thread: no lock is copied while it is held.
    first = _start_worker(settings, "fork") if with_worker else None
    supervisor = threading.Thread(target=_supervise, args=(settings, first, stop), name="supervisor", daemon=True)
    server = _granian(settings)
    from hub.cli.serving_process import serving_process  # with granian, which no other command needs

    server.on_startup(supervisor.start)
    event_log.configure(settings.log.format, settings.log.level)  # again: the server has put its own loggers in place
    log.info("serve.started", host=settings.server.host, port=settings.server.port, tls=settings.tls_files is not None)
    try:
        server.serve(spawn_target=serving_process, target_loader=partial(_application, settings), wrap_loader=False)
    finally:
        stop.set()
        if supervisor.is_alive():
            supervisor.join(STOP_SECONDS + WORKER_STOP_SECONDS)
        log.info("serve.stopped")


def refuse_open_door(settings: Settings) -> None:
    """Raise ConfigError when passwords would cross a network in the clear."""
    if settings.tls_files is None and not settings.server.behind_proxy and not is_loopback(settings.server.host):
        raise ConfigError(
            "on an address other than loopback the hub needs [tls] certificate and key, or behind_proxy = true when a "
            "proxy in front of it speaks TLS",
            field="server.host",
        )


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach an address; a name counts only if it is ``localhost``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_bad_tls(settings: Settings) -> None:
    """Raise ConfigError when the certificate or the key cannot be used, before a client finds out."""
    if settings.tls_files is None:
        return
    for path, field in zip(settings.tls_files, ("tls.certificate", "tls.key"), strict=True):
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {type(error).__name__}", field=field) from None
        if field == "tls.key" and PKCS8 not in content:
            command = f"openssl pkcs8 -topk8 -nocrypt -in {path.name} -out key.pem"
            raise ConfigError(f"the key must be PKCS #8 without a password: {command}", field=field)


def refuse_old_schema(settings: Settings) -> None:
    """Raise ConfigError when the database is not at this version's schema."""
    if settings.database_file is not None and not settings.database_file.exists():
        raise ConfigError("there is no database yet: run cybex init", field="database_url")
    from hub.store.database import Database  # as with _application: not in the process that only watches

    database = Database.open(settings.database_url)
    try:
        if database.revision() != database.head():
            raise ConfigError("the database is not at this version's schema: run cybex migrate", field="database_url")
    finally:
        database.close()


def refuse_taken_port(settings: Settings) -> None:
    """Raise ConfigError when somebody listens there: the server shares ports, so it would not notice."""
    host, port = settings.server.host, settings.server.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else "no such address"
        raise ConfigError(f"cannot listen on {host} port {port}: {reason}", field="server.port") from None


def _granian(settings: Settings) -> Any:  # its class is generic over a private type
    """Return the server: TLS 1.2 and 1.3, forward-secret AEAD suites, no early data (rustls offers nothing else)."""
    from granian import Granian
    from granian.constants import Interfaces, SSLProtocols
    from granian.http import HTTP1Settings

    certificate, key = settings.tls_files or (None, None)
    return Granian(
        target="hub.wsgi:create",
        address=settings.server.host,
        port=settings.server.port,
        interface=Interfaces.WSGI,
        workers=settings.server.workers,
        blocking_threads=settings.server.threads + limits.SPARE_THREADS,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS),
        websockets=False,
        log_enabled=False,  # the hub logs each request itself, and configures the libraries' loggers
        ssl_cert=certificate,
        ssl_key=key,
        ssl_protocol_min=SSLProtocols.tls12,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
    )


def _start_worker(settings: Settings, method: str) -> BaseProcess:
    process = multiprocessing.get_context(method).Process(  # type: ignore[attr-defined] # of every context
        target=_work, args=(settings,), name="cybex-worker"
    )
    process.start()
    return cast(BaseProcess, process)


def _application(settings: Settings) -> Any:
    """Return the application, which is loaded in the processes that serve and not in the one that watches them."""
    from hub import wsgi

    return wsgi.load(settings)


def _work(settings: Settings) -> None:
    from hub import worker

    worker.serve(settings)


def _apart(check: Callable[[Settings], None], settings: Settings) -> None:
    """Run a check in a process of its own, so that what it loads does not stay in this one. Raises what it raises."""
    context = multiprocessing.get_context("fork")
    answer, question = context.Pipe(duplex=False)
    process = context.Process(target=_report, args=(check, settings, question), name="cybex-check")
    process.start()
    question.close()
    try:
        failure: tuple[type[CybexError], str, str | None] | None = answer.recv()
    except EOFError:
        raise ConfigError("the database could not be checked; run: cybex doctor", field="database_url") from None
    finally:
        answer.close()
        process.join()
    if failure is not None:
        kind, detail, field = failure
        raise kind(detail, field=field)


def _report(check: Callable[[Settings], None], settings: Settings, question: Connection) -> None:
    try:
        check(settings)
    except CybexError as error:
        question.send((type(error), error.detail, error.field))
    else:
        question.send(None)


def _supervise(settings: Settings, process: BaseProcess | None, stop: threading.Event) -> None:
    """Keep one worker process running until told to stop; then wait for it to finish its piece of work."""
    while process is not None:
        wait([process.sentinel], timeout=0.2)
        if stop.is_set():
            if process.is_alive():
                process.terminate()
            process.join(WORKER_STOP_SECONDS)
            return
        if not process.is_alive():
            log.error("worker.died", exit_code=process.exitcode)
            stop.wait(RESTART_SECONDS)
            process = _start_worker(settings, "spawn")  # now there are threads: a fork could copy a held lock
