"""Filters of warnings and the threads of BLAS, which belong to the whole process."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, cast

from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from ..utils.shared_context import SharedContext

__all__ = ["few_threads", "one_thread", "quiet"]

one_at_a_time = threading.Lock()
SMALL_WORK = 2**20  # distances in a pass of k-means, for which one thread will do
LIBRARIES = r"(sklearn|joblib|deepdensity)\."  # to whom their warnings are put down


@contextmanager
def without_remarks() -> Iterator[None]:
    """Without what scikit-learn remarks on the way to a start.

    This package's own warnings are put down to the user's line, and stay.
    """
    with warnings.catch_warnings():
        inside = cast(list[Any], warnings.filters)
        before = inside.copy()
        warnings.filterwarnings("ignore", category=ConvergenceWarning, module=LIBRARIES)
        warnings.filterwarnings("ignore", "Graph is not fully connected")
        try:
            yield
        finally:
            # another thread, in a context of its own, may put this list back later
            inside[:] = before


quiet = SharedContext(without_remarks)


def few_threads(n_distances: int) -> AbstractContextManager[Any]:
    """OpenMP with one thread for k-means of few samples, as many as there are for more.

    Threads that have little to do wait for each other, busily: where other work has the
    cores, 1,000 samples took five times as long with two. The limit is the calling
    thread's own.
    """
    if n_distances > SMALL_WORK:
        return nullcontext()
    limits: AbstractContextManager[Any] = threadpool_limits(1, user_api="openmp")
    return limits


@contextmanager
def one_thread() -> Iterator[None]:
    """BLAS with one thread a call, for work that is shared out among threads itself.

    Such work takes all cores: that of another fit waits for it. Limits have to be put
    back by the thread that has set them, and are not for two at a time.
    """
    with one_at_a_time, threadpool_limits(1):
        yield
