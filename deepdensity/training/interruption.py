"""Ctrl-C in a fit: noted at first, so that training can end between two steps."""

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

__all__ = ["Interrupted", "Interruption"]


SOON = 1.0  # seconds between two presses that are meant as one wish to stop at once


class Interrupted(Exception):
    """Raised by Ctrl-C inside :meth:`Interruption.at_once`."""


class Interruption:
    """What the user's Ctrl-C has asked of a fit.

    As a context manager it takes SIGINT over from Python's own handler. The first
    signal is only noted: training looks at `asked` after every step. A second one
    raises the usual KeyboardInterrupt, within a second even where it meets another fit,
    as in a search that has gone on to its next candidate. A KeyboardInterrupt that
    comes from elsewhere, as from a callback that stops training, has nothing to do with
    it.

    Signals reach the main thread alone. An application that handles them in a way of
    its own has its handler called: there nothing is ever asked, and only what the
    handler raises is noted.

    Attributes
    ----------
    asked : bool
        Whether to end the fit.
    insisted : bool
        Whether a KeyboardInterrupt has been raised.
    place : str or None
        Where training was cut off, in words; None where it was not.
    """

    _noted = -math.inf  # when any fit was last asked to end

    def __init__(self) -> None:
        self.asked = False
        self.insisted = False
        self.place: str | None = None
        self._at_once = False
        self._handler: Any = None  # that signals had before, where it is replaced

    def __enter__(self) -> Self:
        handler = signal.getsignal(signal.SIGINT)
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and callable(handler):
            python_s = handler is signal.default_int_handler
            signal.signal(signal.SIGINT, self._note if python_s else self._pass_on)
            self._handler = handler
        return self

    def __exit__(self, *exception: Any) -> None:
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        try:
            self._handler(number, frame)
        except KeyboardInterrupt:
            self.insisted = True
            raise

    def _note(self, number: int, frame: FrameType | None) -> None:
        again = time.monotonic() - Interruption._noted < SOON
        Interruption._noted = time.monotonic()
        if self.asked or again:  # of this fit, or the one before it in a search
            self.insisted = True
            raise KeyboardInterrupt
        self.asked = True
        if self._at_once:
            raise Interrupted

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Ctrl-C ends the block, by `Interrupted`: for work that leaves no trace."""
        self._at_once = True
        try:
            if self.asked:
                raise Interrupted
            yield
        finally:
            self._at_once = False

    def note(self, place: str) -> None:
        """Say where training was cut off; the first word counts."""
        if self.asked and self.place is None:
            self.place = place

    def message(self) -> str:
        """What to tell the user."""
        if self.place is None:
            return "Interrupted when the training was over: the fit is complete."
        return (
            f"Interrupted {self.place}: the estimator is fitted with what it had come "
            "to. A second Ctrl-C would have left it as it was before."
        )
