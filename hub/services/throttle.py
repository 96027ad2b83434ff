"""Slows guessing: too many failures for one user name from one address are refused without a look at the secret.

The key is the pair, so nobody can lock a victim out from elsewhere. It is per process, in memory and bounded: whoever
rotates addresses or names evades it, against which 200-bit secrets stand. Its use is to keep guessing cheap here.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from hub.domain import limits


@dataclass(slots=True)
class Throttle:
    """Counts failures by (remote address, name) in a fixed window. Times are microseconds since the epoch."""

    _counts: OrderedDict[tuple[str, str], tuple[int, int]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refuses(self, remote: str, name: str, now: int) -> bool:
        """Say whether this pair has used up its failures in the current window."""
        with self._lock:
            started, failures = self._counts.get(_key(remote, name), (now, 0))
        return failures >= limits.LOGIN_FAILURES and now - started < limits.LOGIN_FAILURE_WINDOW_US

    def failed(self, remote: str, name: str, now: int) -> None:
        """Count one failure; the pair that failed longest ago is forgotten when there are too many."""
        key = _key(remote, name)
        with self._lock:
            started, failures = self._counts.pop(key, (now, 0))
            if now - started >= limits.LOGIN_FAILURE_WINDOW_US:
                started, failures = now, 0
            self._counts[key] = (started, failures + 1)
            while len(self._counts) > limits.LOGIN_FAILURE_PAIRS:
                self._counts.popitem(last=False)

    def succeeded(self, remote: str, name: str) -> None:
        """Forget the failures of a pair."""
        with self._lock:
            self._counts.pop(_key(remote, name), None)


def _key(remote: str, name: str) -> tuple[str, str]:
    return remote[:64], name[:128]  # no valid name is longer, and the memory of an entry stays bounded
