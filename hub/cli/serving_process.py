"""One process that serves: granian's WSGI worker, whose requests may wait without a thread (`hub.web.kept_requests`).

It does what granian's own does, but for the callable that is given each request, and for the signal to stop, which
ends every wait at once instead of letting the process wait for them.
"""

from __future__ import annotations

import resource
import signal
import threading
from types import FrameType
from typing import Any, Final, cast

from granian._futures import _new_cbscheduler
from granian._granian import WSGIWorker
from granian._signals import set_sync_signals
from granian.constants import TaskImpl
from granian.server.common import WORKERS_METHODS
from granian.server.mp import WorkerProcess

STOPS: Final = (signal.SIGTERM, signal.SIGINT)


@WorkerProcess.wrap_target  # type: ignore[untyped-decorator] # untyped in its package
def serving_process(
    worker_id: int, callback: Any, sock: Any, ipc: Any, loop: Any, runtime_mode: Any, *rest: Any
) -> None:
    """Serve until told to stop; ``callback`` is a `KeptRequests`, the rest is what granian gives its own worker."""
    *threads, task_impl, http_mode, http1, http2, _, static, _, tls, _, metrics = rest
    _open_files()
    stop = set_sync_signals()  # type: ignore[no-untyped-call] # untyped in its package
    for number in STOPS:
        signal.signal(number, _ending(callback, signal.getsignal(number)))
    ended = threading.Event()
    stop.add_cb(ended.set)
    # Its stub is of another version: it lacks the last argument.
    worker: Any = cast(Any, WSGIWorker)(worker_id, sock, ipc, *threads, http_mode, http1, http2, static, *tls, metrics)
    serve = getattr(worker, WORKERS_METHODS[runtime_mode][(sock[0] or sock[1]).is_uds()])
    schedule: Any = _new_cbscheduler
    serve(schedule(loop, callback, impl_asyncio=task_impl == TaskImpl.asyncio), loop, stop)
    ended.wait()


def _ending(callback: Any, stop: Any) -> Any:
    def handle(number: int, frame: FrameType | None) -> None:
        # In a thread: a handler runs between two instructions of a thread that may hold any lock.
        threading.Thread(target=callback.close, name="closing", daemon=True).start()
        stop(number, frame)

    return handle


def _open_files() -> None:
    """Allow as many open files as the system permits: every reader that waits is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
