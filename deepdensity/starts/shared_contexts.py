"""Filters of warnings and the threads of BLAS, which belong to the whole process."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from ..utils.shared_context import SharedContext

__all__ = ["one_thread", "quiet"]

one_at_a_time = threading.Lock()
LIBRARIES = r"(sklearn|joblib|deepdensity)\."  # to whom their warnings are put down


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
