"""A setting of the whole process that several fits, in threads, may want at a time.

Each of two threads that sets it and puts back what it has found may put back what the
other had set.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

__all__ = ["SharedContext"]


class SharedContext:
    """A context that the first thread in enters, and the last one out leaves.

    Parameters
    ----------
    make : callable
        Makes the context, each time that it is entered.
    lock : lock, optional
        Held while it is entered or left; one of its own by default.
    """

    def __init__(
        self,
        make: Callable[[], AbstractContextManager[Any]],
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        self.make = make
        self.lock = lock or threading.Lock()
        self.n_inside = 0

    def __enter__(self) -> None:
        with self.lock:
            if self.n_inside == 0:
                self.context = self.make()
                self.context.__enter__()
            self.n_inside += 1

    def __exit__(self, *exception: Any) -> None:
        with self.lock:
            self.n_inside -= 1
            if self.n_inside == 0:
                self.context.__exit__(None, None, None)
