"""`partial_fit`: batches refine encoder and clusters, and labels keep their meaning."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage, sparse
from scipy.stats import entropy
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from skorch.callbacks import Callback

from deepdensity import base
from deepdensity import idcl as idcl_module
from deepdensity.density_cores import DensityCores, blended_cores, core_similarity
from deepdensity.metrics import clustering_accuracy
from deepdensity.networks import MLPAutoencoder
from deepdensity.recipe import STREAM_EPOCHS, STREAM_MEMORY
from deepdensity.training import trainer as trainer_module
from deepdensity.training.batches import TrainingSet
from deepdensity.training.views import NeighbourViews

from . import reference
from .common import BOTH, N_CLUSTERS, Nets, decs, digit_images, idcl, small_conv

N_BATCHES, SIZE = 6, 250
IDCL_HEAD = ["core_means_", "core_spreads_", "_core_counts", "_shares", "_n_shares"]
IMAGES, Y = digit_images(1797)
ORDER = np.random.RandomState(0).permutation(1797)
IMAGES, Y = IMAGES[ORDER] / 16, Y[ORDER]
X = IMAGES.reshape(1797, -1)
TEST = slice(N_BATCHES * SIZE, None)
LARGE = {"batch_size": 256, "refresh_interval": 100, "autoencoder": "auto"}
LONGER = {
    idcl: {"pretrain_epochs": 200, "max_epochs": 200, **LARGE},
    decs: {"pretrain_epochs": 200, "max_iter": 200, **LARGE},
}


def batch(i, size=SIZE):
    return slice(i * size, (i + 1) * size)


@pytest.fixture(scope="module")
def first_batches():
    """Each estimator after its first batch."""
    return {s: s(**LONGER[s]).partial_fit(X[batch(0)]) for s in BOTH}


@pytest.fixture
def neighbours(monkeypatch):
    """The neighbours of each phase's views, as they are made."""
    seen, make = [], NeighbourViews.__init__

    def noted(self, source, neighbours, *args, **kwargs):
        seen.append(neighbours)
        make(self, source, neighbours, *args, **kwargs)

    monkeypatch.setattr(NeighbourViews, "__init__", noted)
    return seen


@pytest.fixture(params=BOTH, ids=["idcl", "decs"])
def short(request):
    return request.param


@pytest.fixture
def begun(short, first_batches):
    return copy.deepcopy(first_batches[short])


def accuracy(model, samples, y):
    return clustering_accuracy(y, model.predict(samples))


def test_the_first_batch_is_fitted(short):
    begun, fitted = short().partial_fit(X[batch(0)]), short().fit(X[batch(0)])
    assert_array_equal(fitted.labels_, begun.labels_)
    assert_array_equal(fitted.embedding_, begun.embedding_)
    with pytest.raises(ValueError, match="n_samples=9 should be >= n_clusters=10"):
        short().partial_fit(X[:9])


def test_a_stream_does_as_well_and_labels_keep_their_meaning(begun):
    before, first = begun.predict(X), accuracy(begun, X[TEST], Y[TEST])
    for i in range(1, N_BATCHES):
        labels = begun.predict(X)
        assert begun.partial_fit(X[batch(i)]) is begun
        assert np.mean(begun.predict(X) == labels) > 0.95  # from call to call
    assert np.mean(begun.predict(X) == before) > 0.9
    assert accuracy(begun, X[TEST], Y[TEST]) > first - 0.01


def test_it_follows_a_slow_drift(begun):
    frozen = copy.deepcopy(begun)

    def shifted(samples, pixels):
        moved = ndimage.shift(IMAGES[samples], (0, pixels, 0), order=1)
        return moved.reshape(-1, 64)

    for i in range(1, 13):
        begun.partial_fit(shifted(batch(i % N_BATCHES), 0.15 * i))
    drifted = shifted(TEST, 0.15 * 12)
    assert accuracy(begun, drifted, Y[TEST]) > accuracy(frozen, drifted, Y[TEST]) + 0.05
    kept = begun.predict(drifted) == frozen.predict(X[TEST])
    assert kept.mean() > np.mean(frozen.predict(drifted) == frozen.predict(X[TEST]))


def test_what_is_of_samples_is_of_the_last_batch(begun):
    labels = begun.predict(X[batch(1)])
    begun.partial_fit(X[batch(1)])
    assert_array_equal(begun.pretrain_labels_, labels)
    assert_array_equal(begun.labels_, begun.predict(X[batch(1)]))
    assert_allclose(begun.embedding_, begun.transform(X[batch(1)]))
    assert len(begun.history_) == STREAM_EPOCHS
    assert set(begun.history_[:, "phase"]) == {"cluster"}
    assert_allclose(begun.history_[:, "lr"], 0.1 * begun.lr)
    error = ((begun.inverse_transform(begun.embedding_) - X[batch(1)]) ** 2).mean()
    assert_allclose(begun.reconstruction_error_, error, rtol=1e-3)
    assert np.isfinite([begun.score(X), begun.information_]).all()


def test_nothing_of_older_batches_is_kept(begun):
    sizes = []
    for i in range(1, 5):
        begun.partial_fit(X[batch(i, 100)])
        sizes.append(len(pickle.dumps(begun)))
    assert max(sizes) < 1.02 * min(sizes)


@pytest.mark.parametrize("kind", [sparse.csr_array, np.float32])
def test_other_kinds_of_X(begun, kind):
    begun.partial_fit(kind(X[batch(1)]))
    assert begun.labels_.shape == (SIZE,)
    with pytest.raises(ValueError, match="X has samples of shape"):
        begun.partial_fit(X[batch(1)].reshape(-1, 8, 8))


@pytest.mark.parametrize(("given", "weight"), [(0, 1 / 3), (2.0, 2.0)])
def test_decs_reconstructs_in_a_stream_and_does_not_balance(given, weight):
    nets = Nets()
    model = decs(
        autoencoder=small_conv,
        reconstruction_weight=given,
        balance=0.5,
        callbacks=[nets],
    ).partial_fit(IMAGES[:150])
    first = nets.seen["cluster"]
    assert first.criterion_.balance == 0.5
    model.partial_fit(IMAGES[150:250])
    criterion = nets.seen["cluster"].criterion_
    assert nets.seen["cluster"] is not first
    assert (criterion.reconstruction, criterion.balance) == (weight, 0)


def test_batches_are_trained_on_uncompiled(short, monkeypatch):
    compiled, network_passes = [], trainer_module.network_passes
    monkeypatch.setattr(base, "can_compile", lambda device: True)
    monkeypatch.setattr(
        trainer_module,
        "network_passes",
        lambda asked=False: compiled.append(asked) or network_passes(),
    )
    model = short(compile=True).partial_fit(X[batch(0)])
    assert compiled and all(compiled)
    compiled.clear()
    model.partial_fit(X[batch(1)])
    assert compiled and not any(compiled)


def test_images_and_uint8(short):
    images = (IMAGES * 255).astype(np.uint8)
    model = short(autoencoder=small_conv).partial_fit(images[:150])
    model.partial_fit(images[150:250])
    assert model.transform(images).dtype == np.float32
    assert_array_equal(model.labels_, model.predict(images[150:250]))


@pytest.mark.parametrize("size", [1, 3])
def test_batches_may_be_smaller_than_the_number_of_clusters(begun, size):
    before = begun.predict(X)
    for i in range(10):
        begun.partial_fit(X[batch(i, size)])
    assert begun.labels_.shape == (size,)
    assert np.mean(begun.predict(X) == before) > 0.9


def test_a_batch_of_one_class_does_not_empty_the_others(begun):
    before = begun.predict(X)
    rows = np.flatnonzero(Y == 0)
    for i in range(3):
        begun.partial_fit(X[rows[batch(i, 50)]])
    assert np.mean(begun.predict(X) == before) > 0.85


def test_the_scale_of_the_input_is_that_of_the_first_call(begun):
    offset, scale = begun._format.offset, begun._format.scale
    begun.partial_fit(3 * X[batch(1)])
    assert_array_equal(begun._format.offset, offset)
    assert_array_equal(begun._format.scale, scale)
    with pytest.raises(ValueError, match="X has 60 features"):
        begun.partial_fit(X[batch(1), :60])


def test_the_same_stream_gives_the_same_result(begun):
    other = copy.deepcopy(begun)
    for i in (1, 2):
        for model in (begun, other):
            model.partial_fit(X[batch(i, 50)])
    assert_array_equal(begun.transform(X), other.transform(X))


def test_every_batch_draws_anew_and_by_random_state(short):
    drawn = []

    def noisy(x, generator):
        noise = torch.rand(x.shape, generator=generator)
        drawn.append(noise[0, 0].item())
        return x + 0.01 * noise

    seen = set()
    for random_state in (0, 1):
        model = short(augment=noisy, n_init=1, random_state=random_state).fit(X[:100])
        for _ in range(2):
            drawn.clear()
            model.partial_fit(X[100:140])
            _, *views = drawn  # the first is of a call that tries the function
            assert len(set(views)) == len(views) > 10
            assert not seen.intersection(views)
            seen.update(views)


class Spoil(Callback):
    def on_epoch_end(self, net, **kwargs):
        for parameter in net.module_.parameters():
            parameter.data.fill_(float("nan"))


def test_a_batch_that_diverges_leaves_the_clusters_as_they_were(short, begun):
    before = copy.deepcopy(begun)
    embedded = begun.transform(X)
    begun.set_params(callbacks=[Spoil()])
    with pytest.raises(ValueError, match="diverged.*guard=True"):
        begun.partial_fit(X[batch(1)])
    assert_array_equal(begun.transform(X), embedded)
    with pytest.warns(ConvergenceWarning, match="what they were before it") as caught:
        begun.set_params(guard=True).partial_fit(X[batch(1)])
    assert len(caught) == 1
    assert_array_equal(begun.transform(X), embedded)
    assert_array_equal(begun.predict_proba(X), before.predict_proba(X))
    for name in {idcl: IDCL_HEAD, decs: ["cluster_centers_"]}[short]:
        assert_array_equal(getattr(begun, name), getattr(before, name))
    assert_array_equal(begun.labels_, before.predict(X[batch(1)]))


def test_the_score_of_a_batch_is_that_of_its_labels(begun):
    begun.set_params(augment=False).partial_fit(X[batch(1)])
    # all views are the sample itself, and share all of its cluster
    assert_allclose(begun.information_, entropy(np.bincount(begun.labels_)), rtol=1e-6)


def test_small_batches_may_leave_a_cluster_without_samples(short):
    model = short(pretrain_epochs=60, guard=True).fit(X[:250])
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*lose clusters")
        for i in range(6):
            model.partial_fit(X[250 + 8 * i : 258 + 8 * i])


def test_the_loss_of_a_batch_is_that_of_the_fit():
    nets = Nets()
    more = {"alpha": 2.0, "lambda_var": 0.3, "determinacy": "linear"}
    model = decs(kernel_scale=0.4, callbacks=[nets], **more).fit(X[:200])
    first = nets.seen["cluster"]
    model.partial_fit(X[200:260])
    assert nets.seen["cluster"] is not first
    loss = nets.seen["cluster"].criterion_
    found = loss.alpha, loss.lambda_var, loss.form, loss.scale
    assert found == (2.0, 0.3, "linear", 0.4)


@pytest.fixture
def trained_on(monkeypatch):
    """Rows and targets of each epoch of clustering: a list of (rows, P)."""
    seen = []

    def spy(source, rows, P):
        seen.append((rows, P))
        return TrainingSet(source, rows, P)

    monkeypatch.setattr(idcl_module, "TrainingSet", spy)
    return seen


def test_idcl_trains_on_the_easiest_of_a_batch_by_running_shares(trained_on):
    half = {"lambda_0": 0.5, "lambda_max": 0.5, "augment": False}
    model, more = idcl(**half).fit(X[:200]), X[200:260]
    n, shares, Q = model._n_shares, model._shares.copy(), model.predict_proba(more)
    labels = model.predict(more)
    trained_on.clear()
    model.partial_fit(more)
    rows, P = trained_on[0]
    n_taken = [np.sum(labels[rows] == j) for j in range(N_CLUSTERS)]
    sizes = [np.sum(labels == j) for j in range(N_CLUSTERS)]
    assert n_taken == [-(-size // 2) for size in sizes]
    together = n * shares + Q.sum(0)
    sharp = Q[rows] ** 2 / together
    assert_allclose(P, sharp / sharp.sum(1, keepdims=True), atol=1e-4)
    assert_allclose(model._shares, together / (n + 60), rtol=1e-6)


def test_shares_of_idcl_begin_with_the_fit_and_remember_so_many(trained_on):
    """Four batches' worth of earlier samples, or 500 where batches are small."""
    short = {"pretrain_epochs": 2, "max_epochs": 1, "kernel_scale": 0.1}
    own = {"autoencoder": "auto", "augment": False}
    model = idcl(**short, **own).fit(X[:1000])
    shares, n = model.predict_proba(X[:1000]).mean(0), 1000
    assert shares.max() > 1.5 * shares.min()
    ones = X[1000:][Y[1000:] == 1]  # of which a batch shifts the shares
    for more, at_most in [(X[1000:1200], 800), (ones[:20], 500), (ones[20:70], 500)]:
        Q = model.predict_proba(more)
        shares, n = reference.running_shares(shares, n, Q, at_most)
        trained_on.clear()
        model.partial_fit(more)
        rows, P = trained_on[0]
        sharp = Q[rows] ** 2 / shares
        assert_allclose(P, sharp / sharp.sum(1, keepdims=True), atol=1e-5)
        assert_allclose(model._shares, shares, rtol=1e-5)
        assert model._n_shares == n


def test_neighbours_say_what_the_target_of_a_vector_is(trained_on, neighbours):
    model, more = idcl().fit(X[:200]), X[200:260]
    n, shares, Q = model._n_shares, model._shares.copy(), model.predict_proba(more)
    trained_on.clear()
    neighbours.clear()
    model.partial_fit(more)
    rows, P = trained_on[0]
    near = neighbours[0]
    assert near.shape == (60, 3)  # of six samples a cluster
    theirs = np.array([[Q[h, j] for h in near[i]] for i in rows for j in range(10)])
    sharp = theirs.mean(1).reshape(-1, 10) ** 2 / (n * shares + Q.sum(0))
    assert_allclose(P, sharp / sharp.sum(1, keepdims=True), atol=1e-4)


def test_idcl_follows_a_ring_that_turns():
    random = np.random.default_rng(0)

    def turned(degrees, n_samples=200):
        angles = np.pi / 2 * (np.arange(n_samples) % 4) + np.radians(degrees)
        centres = 3 * np.column_stack([np.cos(angles), np.sin(angles)])
        return centres + 0.6 * random.normal(size=(n_samples, 2))

    model = idcl(pretrain_epochs=100, max_epochs=50).set_params(n_clusters=4)
    model.fit(turned(0, 400))
    before = model.predict(turned(0))
    for step in range(1, 31):
        model.partial_fit(turned(3 * step))
    assert np.mean(model.predict(turned(90)) == before) > 0.9


def test_without_a_curriculum_a_batch_is_trained_on_as_a_whole():
    model = idcl(pacing="none", lambda_0=0.5, lambda_max=0.5).fit(X[:200])
    model.partial_fit(X[200:260])
    assert model.history_[:, "fraction"] == [1.0] * STREAM_EPOCHS
    assert len(model.curriculum_[-1]) == 60


def test_cores_remember_four_batches_at_most(monkeypatch):
    monkeypatch.setattr("deepdensity.core_head.STREAM_FEWEST", 1)
    model = idcl().fit(X[:200])
    model._core_counts = np.full(N_CLUSTERS, 1e6)
    model.partial_fit(X[200:400])
    n_new = len(model.core_sample_indices_)
    assert_allclose(model._core_counts.sum(), (STREAM_MEMORY + 1) * n_new)


def test_cores_of_idcl_are_running_means_that_forget(first_batches):
    model = copy.deepcopy(first_batches[idcl])
    old, counts = model.core_means_.copy(), model._core_counts.copy()
    model.partial_fit(X[batch(1)])
    Z, labels = torch.from_numpy(model.embedding_).double(), model.labels_
    core = model.core_sample_indices_
    assert counts.sum() < STREAM_MEMORY * len(core)
    for j in range(N_CLUSTERS):
        own = Z[core[labels[core] == j]]
        if len(own) != model._core_counts[j] - counts[j]:
            continue  # a sample has changed sides with the cores
        mean = (counts[j] * old[j] + own.sum(0).numpy()) / (counts[j] + len(own))
        assert_allclose(model.core_means_[j], mean, rtol=1e-6)
    for i in range(20):
        model.partial_fit(X[batch(i, 50)])
    size = len(model.core_sample_indices_) / N_CLUSTERS
    assert model._core_counts.max() < 50 + STREAM_MEMORY * 2 * size


def test_blended_cores_are_those_of_old_and_new_samples_together():
    rng = np.random.default_rng(0)
    sizes = [(4, 2), (3, 0), (5, 7)]  # of each core, old and new
    samples = [[rng.normal(i, 1, size=(m, 2)) for i, m in enumerate(s)] for s in sizes]
    old, new = (core_of([pair[i] for pair in samples]) for i in range(2))
    share = torch.tensor([m / (n + m) for n, m in sizes], dtype=torch.float64)
    cores = blended_cores(old, new, share)
    X = rng.normal(size=(6, 2))
    together = [np.vstack(pair) for pair in samples]
    expected = reference.core_similarity(X, together)
    assert_allclose(core_similarity(torch.tensor(X), cores), expected)


def core_of(samples):
    """Cores of samples (m, d) each; without any they lie far off."""
    means = [s.mean(0) if len(s) else np.full(2, 99.0) for s in samples]
    spreads = [
        np.mean([sum((s - m) ** 2) for s in own] or [7.0])
        for own, m in zip(samples, means)
    ]
    return DensityCores(torch.tensor(np.array(means)), torch.tensor(spreads))


def test_the_spread_of_a_core_outlasts_batches_of_one_sample():
    rng = np.random.default_rng(0)
    cores = core_of([rng.normal(size=(50, 2))])
    for point in rng.normal(size=(500, 2)):
        one = DensityCores(torch.tensor(point[None]), torch.zeros(1).double())
        cores = blended_cores(cores, one, torch.tensor([1 / 51]).double())
    assert 1.5 < cores.spreads.item() < 2.5  # two dimensions of variance 1


def test_outliers_among_too_few_samples_are_doubtful(first_batches, recwarn):
    model = copy.deepcopy(first_batches[idcl])
    model.score_samples(X[TEST])
    model.partial_fit(X[batch(2, 100)]).score_samples(X[TEST])
    assert not recwarn.list
    model.partial_fit(X[batch(3, 99)])
    with pytest.warns(UserWarning, match="that had 99, for 10.*batches of 100 or more"):
        model.score_samples(X[TEST])


def test_a_batch_minds_the_cap_alone(first_batches):
    """It trains on the last share: the first one has no say, even above the cap."""
    model = copy.deepcopy(first_batches[idcl]).set_params(lambda_0=0.9, lambda_max=0.5)
    assert set(model.partial_fit(X[batch(2)]).curriculum_.fractions) == {0.5}


def test_a_fit_after_a_stream_begins_anew(short):
    model = short().partial_fit(X[batch(0)]).partial_fit(X[batch(1)])
    again = model.fit(X[batch(0)]).labels_
    assert_array_equal(again, short().fit(X[batch(0)]).labels_)


# -- other habits ----------------------------------------------------------------------


def test_notebooks_show_the_parameters(short, begun):
    for model, state in ((short(), "Not fitted"), (begun, "Fitted")):
        html = model._repr_html_()
        assert type(model).__name__ in html
        assert "pretrain_epochs" in html and "n_clusters" in html
        assert f"<span>{state}</span>" in html


def small_mlp(input_shape, n_components):
    return MLPAutoencoder(input_shape, n_components, hidden=(16,))


@pytest.mark.parametrize("size", [4, 8])
def test_many_small_batches_leave_clusters_that_stand_apart(short, size):
    S, y = make_blobs(700, centers=4, n_features=8, cluster_std=0.5, random_state=1)
    model = short(autoencoder=small_mlp, pretrain_epochs=40)
    model.set_params(n_clusters=4).fit(S[:300])
    assert adjusted_rand_score(y, model.predict(S)) > 0.98
    for i in range(60):
        model.partial_fit(S[300 + i * size % 400 :][:size])
    assert adjusted_rand_score(y, model.predict(S)) > 0.98


def test_samples_of_small_batches_have_no_neighbours(begun, neighbours):
    begun.set_params(augment="auto")
    begun.partial_fit(X[batch(1, 15)])
    assert all((found == np.arange(15)[:, None]).all() for found in neighbours)
    neighbours.clear()
    begun.partial_fit(X[batch(1, 150)])
    assert {found.shape for found in neighbours} == {(150, 7)}


@pytest.mark.parametrize("rows", [slice(0, 1), slice(0, 30)])
def test_gamma_is_that_of_the_fit_whatever_a_batch_holds(
    rows, first_batches, monkeypatch
):
    model = copy.deepcopy(first_batches[idcl])
    weights = []
    loss = idcl_module.CurriculumLoss
    monkeypatch.setattr(
        idcl_module,
        "CurriculumLoss",
        lambda gamma, scale: weights.append(gamma) or loss(gamma, scale),
    )
    gamma = model.gamma_
    model.partial_fit(X[Y == 0][rows])
    assert weights == [gamma] and model.gamma_ == gamma > 0
    model.set_params(gamma=0.3).partial_fit(X[:20])
    assert weights == [gamma, 0.3]


def test_a_batch_beyond_float32_raises_and_says_so(begun):
    before = vars(begun).copy()
    with pytest.raises(ValueError, match="too far from what fit has seen"):
        begun.partial_fit(1e300 * X[batch(1)])
    assert vars(begun) == before
