"""The measuring side: raw HTTP/1.1 over kept connections, no JSON parsing while the clock runs."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import re
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.target import TAXII, Target

_FORK = multiprocessing.get_context("fork")
_NEXT = re.compile(rb'"next"\s*:\s*"([^"]+)"')
_ID = re.compile(rb'"id"\s*:\s*"([0-9a-f-]{36})"')
_EDGE = 400  # octets at either end of an envelope: `next` stands there, wherever the server puts it
_POLL_SECONDS = 0.02


class WrongAnswer(Exception):
    """The server did not do what was measured; the figure would mean nothing."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one timed run did. ``client_cpu`` is CPU seconds of the measuring processes, per second of the run."""

    seconds: float
    objects: int
    octets: int
    client_cpu: float

    @property
    def rate(self) -> float:
        """Objects per second."""
        return self.objects / self.seconds


class Connection:
    """One kept connection to a target."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._headers = target.all_headers()
        self._http = http.client.HTTPConnection(target.host, target.port, timeout=900)

    def request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes, http.client.HTTPMessage]:
        """Return status, body and headers. A connection the server closed while idle is opened again."""
        headers = self._headers if body is None else {**self._headers, "Content-Type": TAXII}
        self._http.request(method, path, body=body, headers=headers)
        answer = self._http.getresponse()
        return answer.status, answer.read(), answer.headers

    def get(self, path: str) -> bytes:
        """Return the body of a 200. Raises WrongAnswer for everything else."""
        status, body, _ = self.request("GET", path)
        if status != 200:
            raise WrongAnswer(f"{self._target.name}: GET answered {status}: {body[:300]!r}")
        return body


def next_of(envelope: bytes) -> str | None:
    """Return the ``next`` of an envelope without parsing it."""
    found = _NEXT.search(envelope[-_EDGE:]) or _NEXT.search(envelope[:_EDGE])
    return None if found is None else found[1].decode("ascii")


def indicators_in(envelope: bytes) -> int:
    """Return how many indicators an envelope holds, without parsing it."""
    return envelope.count(b'"pattern_type"')


def read_all(target: Target, collection: str, *, limit: int | None, clients: int = 1) -> Measured:
    """Read a collection to its end by ``next``, every client all of it."""
    return _measure([(_read, (target, collection, limit))] * clients)


def post_all(target: Target, collection: str, envelopes: Sequence[bytes], *, clients: int = 1) -> Measured:
    """Post envelopes, shared out among clients, until every status is complete. Raises WrongAnswer for any failure."""
    shares = [envelopes[start::clients] for start in range(clients)]
    return _measure([(_post, (target, collection, share)) for share in shares])


def latencies(target: Target, paths: Sequence[str]) -> list[float]:
    """Return the seconds each GET took on one kept connection, after one that warms it up."""
    connection = Connection(target)
    connection.get(paths[0])
    seconds: list[float] = []
    for path in paths:
        started = time.perf_counter()
        connection.get(path)
        seconds.append(time.perf_counter() - started)
    return seconds


def _measure(jobs: Sequence[tuple[Callable[..., tuple[int, int]], tuple[Any, ...]]]) -> Measured:
    """Run the jobs in processes of their own that start together; the clock stops with the last."""
    barrier = _FORK.Barrier(len(jobs) + 1)
    results = _FORK.SimpleQueue()
    processes = [_FORK.Process(target=_child, args=(barrier, results, job, args)) for job, args in jobs]
    for process in processes:
        process.start()
    barrier.wait(timeout=60)
    started = time.perf_counter()
    answers = [results.get() for _ in processes]
    seconds = time.perf_counter() - started
    for process in processes:
        process.join()
    failed = [answer for answer in answers if isinstance(answer, str)]
    if failed:
        raise WrongAnswer(failed[0])
    return Measured(
        seconds=seconds,
        objects=sum(answer[0] for answer in answers),
        octets=sum(answer[1] for answer in answers),
        client_cpu=sum(answer[2] for answer in answers) / seconds,
    )


def _child(barrier: Any, results: Any, job: Callable[..., tuple[int, int]], args: tuple[Any, ...]) -> None:
    barrier.wait(timeout=60)
    before = _cpu()
    try:
        objects, octets = job(*args)
    except Exception as error:  # noqa: BLE001  whatever happened must reach the parent, or it waits for ever
        results.put(f"{type(error).__name__}: {error}")
    else:
        results.put((objects, octets, _cpu() - before))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _read(target: Target, collection: str, limit: int | None) -> tuple[int, int]:
    connection = Connection(target)
    path = target.collections[collection]
    query = "" if limit is None else f"?limit={limit}"
    objects = octets = 0
    following: str | None = None
    while True:
        token = "" if following is None else ("&" if query else "?") + "next=" + following.replace("+", "%2B")
        body = connection.get(path + query + token)
        objects += indicators_in(body)
        octets += len(body)
        following = next_of(body)
        if following is None:
            return objects, octets


def _post(target: Target, collection: str, envelopes: Sequence[bytes]) -> tuple[int, int]:
    connection = Connection(target)
    path = target.collections[collection]
    statuses = [connection.request("POST", path, envelope) for envelope in envelopes]
    finished: list[bytes] = []
    for code, body, _ in statuses:
        if code != 202:
            raise WrongAnswer(f"{target.name}: POST answered {code}: {body[:300]!r}")
        found = _ID.search(body)
        while b'"pending_count":0' not in body.replace(b" ", b"") or b'"complete"' not in body:
            if found is None:
                raise WrongAnswer(f"{target.name}: a status without an id")
            time.sleep(_POLL_SECONDS)
            body = connection.get(target.status_path + found[1].decode("ascii") + "/")
        finished.append(body)
    resources = [json.loads(body) for body in finished]
    refused = [failure for status in resources for failure in status.get("failures", ())]
    if refused:
        raise WrongAnswer(f"{target.name}: {len(refused)} objects refused, first: {refused[0]}")
    return sum(int(status["success_count"]) for status in resources), sum(map(len, envelopes))
