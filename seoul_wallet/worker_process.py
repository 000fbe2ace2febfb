"""How a worker process of the production server ends: in time, and with everything closed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from contextlib import ExitStack
from multiprocessing.process import BaseProcess
from multiprocessing.util import Finalize
from typing import Final

# How long the end of a worker waits for the round that its background work is in.
CLOSE_TIMEOUT_S: Final = 10
# A worker that has not ended by then is killed; what it had acknowledged is on disk.
KILL_TIMEOUT_S: Final = 3 * CLOSE_TIMEOUT_S
WATCH_INTERVAL_S: Final = 1.0
ENDING: Final = (signal.SIGINT, signal.SIGTERM)


def let_signals_end_new_workers() -> None:
    """Have a signal end a forked worker that does not yet listen for signals itself.

    For the process that forks. A worker inherits its handler, which sets a flag that nobody reads
    in the worker: a signal that came before the application was composed would be lost, and the
    parent would wait for that worker. Nothing has been acknowledged by then, so the default
    action is right. The signals are held back over the fork itself.
    """
    os.register_at_fork(before=_hold_back, after_in_parent=_let_through, after_in_child=_default)


def _hold_back() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)


def _let_through() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def _default() -> None:
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    _let_through()


def end_in_order(ends: ExitStack) -> None:
    """Have this process close `ends` when it ends, and watch over its end if it is a worker.

    A worker is a process of `multiprocessing`, which ends without running what is registered with
    `atexit`, and waits for processes of its own: those of bulk work are ended by then.
    """
    Finalize(None, ends.close, exitpriority=0)
    parent = multiprocessing.parent_process()
    if parent is not None:
        # Without a handler the signal would not interrupt what the main thread waits for.
        signal.signal(signal.SIGCONT, _do_nothing)
        threading.Thread(target=_watch, args=(parent,), name="watch", daemon=True).start()


def _do_nothing(*_: object) -> None:
    return None


def _watch(parent: BaseProcess) -> None:
    """Wake the main thread now and then, and end this process with its parent.

    A signal for the process may be taken by any of its threads, and Python runs the handler in
    the main one: which waits for an event without end here, and is not woken when another thread
    took the signal. A parent that was killed passes no signal on; its worker would go on for good
    and hold the port.
    """
    while parent.is_alive():
        parent.join(WATCH_INTERVAL_S)
        _wake_main_thread()
    os.kill(os.getpid(), signal.SIGTERM)
    ends_at = time.monotonic() + KILL_TIMEOUT_S
    while time.monotonic() < ends_at:
        time.sleep(WATCH_INTERVAL_S)
        _wake_main_thread()
    os.kill(os.getpid(), signal.SIGKILL)


def _wake_main_thread() -> None:
    identity = threading.main_thread().ident
    if identity is not None:
        signal.pthread_kill(identity, signal.SIGCONT)
