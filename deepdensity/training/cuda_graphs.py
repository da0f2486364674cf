"""Training steps as CUDA graphs: one launch in the place of many.

A step of a small network takes a GPU less time than Python needs to launch its kernels.
Recorded once, the same kernels run again by a single call, on whatever is in the
tensors that they read: batch, weights, centres, learning rate.
"""

from __future__ import annotations

import functools
import gc
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from ..utils.shared_context import SharedContext

__all__ = ["GraphRecorder", "RecordedSteps"]

WARM_UP = 3  # steps of a shape that run as usual: libraries choose their kernels there
MOST_SHAPES = 16  # that are kept: each holds the memory of a step's result


class RecordedSteps:
    """A training step that is recorded for each shape of its batches.

    Parameters
    ----------
    step : callable
        ``step(*tensors)`` -> tensors; all that a step does, its optimiser included.
    recorder : GraphRecorder
    """

    def __init__(self, step: Callable[..., Any], recorder: Any) -> None:
        self.step = step
        self.recorder = recorder
        self.forget()

    def forget(self) -> None:
        """Record anew: what the steps have written to is not what it was."""
        self.n_seen: Counter[Any] = Counter()
        self.recorded: dict[Any, Any] = {}
        self.possible = True

    def __call__(self, *batch: Tensor | None) -> Any:
        """The step's result, which the next step writes over."""
        shapes = tuple(None if x is None else (x.shape, x.dtype) for x in batch)
        self.n_seen[shapes] += 1
        if shapes not in self.recorded and not self.record(shapes, batch):
            return self.recorder.run(self.step, batch)
        inputs, replay, result = self.recorded[shapes]
        for known, x in zip(inputs, batch):
            if x is not None:
                known.copy_(x)
        replay()
        return result

    def record(self, shapes: Any, batch: tuple[Tensor | None, ...]) -> bool:
        """Whether a step on such a batch has been recorded now."""
        if not self.possible or self.n_seen[shapes] <= WARM_UP:
            return False
        if len(self.recorded) == MOST_SHAPES:  # an admitted share that grew since
            del self.recorded[next(iter(self.recorded))]
        inputs = tuple(None if x is None else x.clone() for x in batch)
        try:
            self.recorded[shapes] = (
                inputs,
                *self.recorder.record(self.step, inputs),
            )
        except RuntimeError:  # a network that asks the GPU for a value, say
            self.possible = False
        return self.possible


class GraphRecorder:
    """Records by CUDA; what it runs otherwise runs on the stream that records.

    Parameters
    ----------
    device : torch.device
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.stream = recording_stream(device, threading.get_ident())
        self.pool = torch.cuda.graph_pool_handle()

    def run(self, step: Callable[..., Any], batch: tuple[Tensor | None, ...]) -> Any:
        with self.aside():
            return step(*batch)

    def record(
        self, step: Callable[..., Any], batch: tuple[Tensor | None, ...]
    ) -> tuple[Callable[[], None], Any]:
        """What replays the step, and the tensors that its result is in."""
        graph = torch.cuda.CUDAGraph()
        recording = torch.cuda.graph(
            graph,
            pool=self.pool,
            stream=self.stream,
            capture_error_mode="thread_local",  # other threads go on: a search has some
        )
        with torch.cuda.device(self.device), no_collection, recording:
            result = step(*batch)
        return graph.replay, result

    @contextmanager
    def aside(self) -> Iterator[None]:
        """A block on that stream, after all that came and before all that comes."""
        present = torch.cuda.current_stream(self.device)
        self.stream.wait_stream(present)
        with torch.cuda.stream(self.stream):
            yield
        present.wait_stream(self.stream)


@contextmanager
def without_collection() -> Iterator[None]:
    """No garbage is collected: CUDA lets no graph go while another is recorded."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


no_collection = SharedContext(without_collection)


@functools.cache
def recording_stream(device: torch.device, thread: int) -> Any:
    """One for all of a thread: autograd keeps to the stream where it met a weight."""
    # torch has given its streams no types
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
