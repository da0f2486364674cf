"""Small real data and short settings that the tests of the estimators share."""

import functools
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import torch
from scipy import sparse
from sklearn.datasets import load_digits
from skorch.callbacks import Callback

from deepdensity import DECSClustering, IDCLClustering
from deepdensity.networks import (
    ConvAutoencoder,
    MLPAutoencoder,
    TransformerAutoencoder,
)
from deepdensity.samples.inputs import Source, input_format
from deepdensity.samples.layout import image_layout
from deepdensity.training.trainer import Trainer

N_CLUSTERS = 10
CPU = torch.device("cpu")

small_transformer = functools.partial(
    TransformerAutoencoder, width=16, hidden=(32, 32, 64)
)
small_conv = functools.partial(ConvAutoencoder, channels=(4, 8, 8, 16))


def small_network(input_shape, n_components):
    """The kind of network that "auto" takes, with a fraction of its weights."""
    if len(input_shape) == 3:
        return small_conv(input_shape, n_components)
    return MLPAutoencoder(input_shape, n_components, hidden=(64, 64))


# each a short fit of the class, as f(**more) -> estimator; init="auto" would train on
# from four starts, and the guard would take back what so few steps make worse: both are
# asked for where they are tested
idcl = functools.partial(
    IDCLClustering,
    N_CLUSTERS,
    pretrain_epochs=8,
    max_epochs=4,
    refresh_interval=1,
    batch_size=128,
    autoencoder=small_network,
    init="k-means",
    n_init=3,
    guard=False,
    random_state=0,
)
decs = functools.partial(
    DECSClustering,
    N_CLUSTERS,
    pretrain_epochs=8,
    max_iter=12,
    refresh_interval=4,
    batch_size=128,
    autoencoder=small_network,
    init="k-means",
    n_init=3,
    guard=False,
    random_state=0,
)
BOTH = [idcl, decs]


def only_start(short, **more):
    """A fit that ends before its clustering phase."""
    return short(**{"max_epochs" if short is idcl else "max_iter": 0}, **more)


def digit_images(n=300):
    """Handwritten digits: images (n, 8, 8) in 0..16 and labels."""
    digits = load_digits()
    return digits.images[:n], digits.target[:n]


def digit_vectors(n=300):
    """The same, flat: (n, 64) in [0, 1]."""
    images, labels = digit_images(n)
    return images.reshape(n, -1) / 16, labels


def colour_images(n=120):
    """Digits in four colours, uint8 (n, 8, 8, 3)."""
    images, labels = digit_images(n)
    colours = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]])
    tint = colours[np.arange(n) % 4]
    return (images[..., None] * 15 * tint[:, None, None]).astype(np.uint8), labels


class Nets(Callback):
    """Notes the net of each phase: phase -> skorch net."""

    def initialize(self):
        self.seen = getattr(self, "seen", {})
        return self

    def on_train_begin(self, net, **kwargs):
        self.seen[net.phase] = net


class BatchSizes(Callback):
    """Notes how many samples the batches of each phase hold: phase -> set of sizes."""

    def initialize(self):
        self.seen = getattr(self, "seen", {})
        return self

    def on_batch_end(self, net, batch=None, **kwargs):
        self.seen.setdefault(net.phase, set()).add(len(batch[0]))


def source_of(X, image_shape=None):
    """Samples (n, d), ready for a network on the CPU."""
    layout = image_layout(X.shape[1:], image_shape)
    return Source(X, input_format(X, layout), CPU)


def digits_source(image=False, n=150):
    return source_of(digit_vectors(n)[0], (8, 8) if image else None)


def trainer(source, module=None, lr=1e-3, batch_size=50, **more):
    """A trainer of a small network, always of the same weights, seeded with 0."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        shape = source.format.layout.shape
        module = module or MLPAutoencoder(shape, 5, hidden=(32,))
    return Trainer(module, source, generator(), lr=lr, batch_size=batch_size, **more)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def points(seed, n, d):
    return np.random.default_rng(seed).standard_normal((n, d))


def random_assignment(seed, n, k):
    """Rows that sum to 1, most of each in a few columns."""
    return np.random.default_rng(seed).dirichlet(np.full(k, 0.3), size=n)


def unsorted_csr():
    """[[0, 2, 0, 3], [6, 0, 0, 0]], read-only, out of order, one entry in two parts."""
    X = sparse.csr_array(
        (
            np.array([3.0, 2.0, 5.0, 1.0]),
            np.array([3, 1, 0, 0]),
            np.array([0, 2, 4]),
        ),
        shape=(2, 4),
    )
    for array in (X.data, X.indices, X.indptr):
        array.flags.writeable = False
    return X


class Recorder:
    """As CUDA records: nothing is done then, and a replay reads and writes in place."""

    def __init__(self):
        self.n_run = self.n_recorded = self.n_replayed = 0

    def run(self, step, batch):
        self.n_run += 1
        return step(*batch)

    def record(self, step, inputs):
        self.n_recorded += 1
        loss = torch.full((), np.nan)

        def replay():
            self.n_replayed += 1
            loss.copy_(step(*inputs)[0])

        return replay, (loss, None)


def overlapping(context, look=lambda: None):
    """Two threads of which the first to enter is the first to leave.

    What `look()` gives the second one then, still inside.
    """
    entered, left = threading.Event(), threading.Event()

    def first():
        with context:
            entered.wait(10)
        left.set()

    def second():
        with context:
            entered.set()
            left.wait(10)
            return look()

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(first), pool.submit(second)]
        return [run.result() for run in runs][1]


@contextmanager
def ctrl_c_is_heard():
    """Also where a shell has put the process into the background, to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
