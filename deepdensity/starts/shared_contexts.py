"""Settings of the whole process that several fits, in threads, may want at a time.

Filters of warnings and the threads of BLAS belong to the process. Each of two threads
that sets them and puts back what it has found may put back what the other had set.
"""

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

__all__ = ["SharedContext", "one_thread", "quiet"]

one_at_a_time = threading.Lock()
LIBRARIES = r"(sklearn|joblib|deepdensity)\."  # to whom their warnings are put down


class SharedContext:
    """A context that the first thread in enters, and the last one out leaves.

    Parameters
    ----------
    make : callable
        Makes the context, each time that it is entered.
    """

    def __init__(self, make: Callable[[], AbstractContextManager[Any]]) -> None:
        self.make = make
        self.lock = threading.Lock()
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


@contextmanager
def without_remarks() -> Iterator[None]:
    """Without what scikit-learn remarks on the way to a start.

    This package's own warnings are put down to the user's line, and stay.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=ConvergenceWarning, module=LIBRARIES)
        warnings.filterwarnings("ignore", "Graph is not fully connected")
        yield


quiet = SharedContext(without_remarks)


@contextmanager
def one_thread() -> Iterator[None]:
    """BLAS with one thread a call, for work that is shared out among threads itself.

    Such work takes all cores: that of another fit waits for it. Limits have to be put
    back by the thread that has set them, and are not for two at a time.
    """
    with one_at_a_time, threadpool_limits(1):
        yield
