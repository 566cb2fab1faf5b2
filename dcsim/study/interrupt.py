"""Ctrl-C as a question between replications instead of an exception anywhere.

An exception in the middle of writing a table would leave neither the table nor the program in a known state. So the
first Ctrl-C only asks the run to end; a replication that has not ended a few seconds later is abandoned; the second
Ctrl-C is the ordinary exception.
"""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, TypeVar

T = TypeVar("T")

PATIENCE: Final = 3.0
"""Seconds after which a running replication is abandoned."""


class Interrupt:
    """A context in which the first Ctrl-C sets `asked`.

    Only in the main thread, and only where nobody else has taken the signal; elsewhere it does nothing.
    """

    def __init__(self) -> None:
        self.asked = False
        self._inside = False
        self._expired = False
        self._timer: threading.Timer | None = None
        self._former: Any = None

    def __enter__(self) -> Interrupt:
        here = threading.current_thread() is threading.main_thread()
        if here and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._former = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
        if self._former is not None:
            signal.signal(signal.SIGINT, self._former)
            self._former = None

    def breakable(self, call: Callable[[], T]) -> T:
        """`call()`, abandoned with `KeyboardInterrupt` if it outlasts the patience after a Ctrl-C."""
        self._inside = True
        try:
            return call()
        finally:
            self._inside = False

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        if not self.asked:
            self.asked = True
            self._timer = threading.Timer(PATIENCE, self._expire)
            self._timer.daemon = True
            self._timer.start()
        elif not self._expired:
            raise KeyboardInterrupt
        else:
            self._expired = False
            if self._inside:
                raise KeyboardInterrupt

    def _expire(self) -> None:
        self._expired = True
        if hasattr(signal, "pthread_kill"):  # a real signal also wakes a replication that sleeps in the system
            main = threading.main_thread().ident
            assert main is not None
            signal.pthread_kill(main, signal.SIGINT)
        else:
            _thread.interrupt_main()
