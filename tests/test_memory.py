"""Steps kept on disk: the same fits, bit for bit, in a fraction of the time."""

import functools

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from torch import nn

from deepdensity import base, first_clusters
from deepdensity.memory import kept_steps
from deepdensity.model_selection import InSampleSplit
from deepdensity.networks import MLPAutoencoder
from deepdensity.training import compilation
from deepdensity.training.trainer import Trainer

from .common import BOTH, Nets, decs, digit_images, digit_vectors, idcl, small_conv


class Own(nn.Module):
    """A network of a user's own."""

    slope = 0.1

    def __init__(self, input_shape, n_components):
        super().__init__()
        self.encoder = nn.Linear(input_shape[0], n_components)
        self.decoder = nn.Linear(n_components, input_shape[0])

    def encode(self, x):
        return nn.functional.leaky_relu(self.encoder(x), self.slope)

    def decode(self, z):
        return self.decoder(z)


class OtherCode(Own):
    def encode(self, x):
        return torch.tanh(self.encoder(x))


OtherCode.__qualname__ = "Own"  # as a class of a notebook, defined once more


class Steeper(Own):
    slope = 0.2


class Closed:
    """An object that can be copied and not pickled, such as a handle."""

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        raise TypeError("closed")


class Unhashable(Own):
    def __init__(self, input_shape, n_components):
        super().__init__(input_shape, n_components)
        self.handle = Closed()


def brighter(x, generator):
    return x + 0.1 * torch.rand(len(x), 1, generator=generator)


def darker(x, generator):
    return x - 0.1 * torch.rand(len(x), 1, generator=generator)


@pytest.fixture
def steps(monkeypatch):
    """The steps that are done and not recalled, in order."""
    seen = []
    pretrain, choose = Trainer.pretrain, first_clusters.FirstClusters._choose_start

    def noted_pretrain(self, n_epochs):
        seen.append("pretrain")
        return pretrain(self, n_epochs)

    def noted_choose(self, trainer, Z):
        seen.append("start")
        return choose(self, trainer, Z)

    monkeypatch.setattr(Trainer, "pretrain", noted_pretrain)
    monkeypatch.setattr(first_clusters.FirstClusters, "_choose_start", noted_choose)
    return seen


def learnt(model):
    """What a fit has learnt: fitted attributes as arrays, weights, history."""
    values = {
        key: value
        for key, value in vars(model).items()
        if key.endswith("_") and isinstance(value, (np.ndarray, float, int, dict))
    }
    rows = [{k: v for k, v in row.items() if k != "dur"} for row in model.history_]
    weights = {k: v.numpy() for k, v in model.module_.state_dict().items()}
    return {**values, **weights, "rows": rows}


def assert_same_fit(a, b):
    a, b = learnt(a), learnt(b)
    assert a.keys() == b.keys()
    for key in a:
        assert_array_equal(a[key], b[key], err_msg=key)


BOTH_STEPS = ["pretrain", "start"]


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("init", ["k-means", "auto"])
def test_the_same_to_the_last_bit(short, init, tmp_path, steps, monkeypatch):
    monkeypatch.setattr(first_clusters, "TRIAL_STEPS", 3)
    images, _ = digit_images(100)
    more = {"autoencoder": small_conv, "init": init, "pretrain_epochs": 2}
    without = short(**more).fit(images)
    first = short(**more, memory=str(tmp_path)).fit(images)
    assert steps == 2 * BOTH_STEPS
    second = short(**more, memory=joblib.Memory(str(tmp_path), verbose=0)).fit(images)
    assert steps == 2 * BOTH_STEPS
    assert_same_fit(first, without)
    assert_same_fit(second, without)
    assert bool(second.start_scores_) == (init == "auto")


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("augment", [False, "auto"])
def test_a_folder_that_cannot_be_made_is_an_error(short, augment, tmp_path):
    (tmp_path / "file").touch()
    memory = str(tmp_path / "file" / "folder")
    message = "memory=.*file/folder.* must be a folder that is there or can be made"
    with pytest.raises(ValueError, match=message):
        short(augment=augment, memory=memory).fit(digit_vectors(100)[0])


def test_both_estimators_share_what_is_kept(tmp_path, steps):
    X, _ = digit_vectors(100)
    idcl(memory=tmp_path.as_posix()).fit(X)
    model = decs(memory=tmp_path.as_posix()).fit(X)
    assert steps == BOTH_STEPS
    assert_same_fit(model, decs().fit(X))


GRIDS = [
    (idcl, {"pacing": ["linear", "none"], "lambda_0": [0.4, 0.8]}),
    (decs, {"alpha": [0.5, 1.0], "lambda_var": [0.2, 0.8]}),
    (idcl, {"gamma": [0.1, 1.0], "guard": [False, True], "max_epochs": [2, 3]}),
]


@pytest.mark.parametrize(("short", "grid"), GRIDS)
def test_a_search_pretrains_once(short, grid, tmp_path, steps):
    X, _ = digit_vectors(100)
    cv = [(np.arange(100), np.arange(100))]
    plain = GridSearchCV(short(), grid, cv=cv).fit(X)
    steps.clear()
    search = GridSearchCV(short(memory=str(tmp_path)), grid, cv=cv).fit(X)
    assert steps == BOTH_STEPS
    for key in ("mean_test_score", "rank_test_score"):
        assert_array_equal(search.cv_results_[key], plain.cv_results_[key])
    assert_same_fit(search.best_estimator_, plain.best_estimator_)


def test_neighbours_are_sought_once_for_a_search(tmp_path, monkeypatch):
    X, _ = digit_vectors(60)
    find, sought = kept_steps.nearest_neighbours, []

    def spy(source, seed, at_most):
        sought.append((len(source), seed))
        return find(source, seed, at_most)

    monkeypatch.setattr(kept_steps, "nearest_neighbours", spy)
    fits = [
        short(augment="auto", memory=memory, random_state=0).fit(X)
        for short in BOTH
        for memory in (None, str(tmp_path), str(tmp_path))
    ]
    assert len(sought) == 3  # without memory each time, with it the first
    for first in (0, 3):
        assert_same_fit(fits[first], fits[first + 1])
        assert_same_fit(fits[first], fits[first + 2])
    idcl(augment="auto", memory=str(tmp_path), random_state=1).fit(X)
    idcl(augment="auto", memory=str(tmp_path), random_state=0).fit(X[:59])
    assert len(sought) == 5  # by another seed, of other samples


def test_a_search_over_the_number_of_clusters_pretrains_once(tmp_path, steps):
    X, _ = digit_vectors(250)  # ten neighbours of each
    for k in (3, 5):
        model = idcl(memory=str(tmp_path)).set_params(n_clusters=k).fit(X)
        assert_same_fit(model, idcl().set_params(n_clusters=k).fit(X))
    kept = [step for step in steps if step == "pretrain"]
    assert len(kept) == 1 + 2  # with memory, and twice without


@pytest.mark.parametrize("n_jobs", [2])
def test_worker_processes_find_it(n_jobs, tmp_path, steps):
    X, _ = digit_vectors(100)
    cv = [(np.arange(100), np.arange(100))]
    model = make_pipeline(MinMaxScaler(), idcl(memory=str(tmp_path), autoencoder=Own))
    with joblib.parallel_config("loky", inner_max_num_threads=torch.get_num_threads()):
        search = GridSearchCV(
            model, {"idclclustering__lambda_0": [0.4, 0.8]}, cv=cv, n_jobs=n_jobs
        ).fit(X)
    assert steps == []  # the refit has found what a worker has kept
    assert search.predict(X).shape == (100,)


# -- the clustering phase --------------------------------------------------------------


@pytest.fixture
def phases(monkeypatch):
    """The phases that nets are made for, those of trials left out, in order."""
    seen = []
    net = Trainer.net

    def noted(self, kind, name, *args, **kwargs):
        if not self.is_trial:
            seen.append(name)
        return net(self, kind, name, *args, **kwargs)

    monkeypatch.setattr(Trainer, "net", noted)
    return seen


@pytest.mark.parametrize(("short", "grid"), GRIDS)
def test_the_refit_of_a_search_trains_nothing(short, grid, tmp_path, phases):
    X, _ = digit_vectors(100)
    cv = [(np.arange(100), np.arange(100))]
    model = short(memory=str(tmp_path))
    search = GridSearchCV(model, grid, cv=cv, refit=False).fit(X)
    best = clone(model).set_params(**search.best_params_)
    assert phases.count("cluster") == np.prod([len(values) for values in grid.values()])
    phases.clear()
    again = GridSearchCV(model, grid, cv=cv).fit(X)
    assert phases == []
    assert again.best_params_ == search.best_params_
    assert_same_fit(again.best_estimator_, best.set_params(memory=None).fit(X))


LAYOUTS = {
    "rows of a wider array": lambda X: np.column_stack([X, X])[:, : X.shape[1]],
    "columns": np.asfortranarray,
    "every other row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "csr": sparse.csr_array,
    "csc": sparse.csc_array,
    "frame": pd.DataFrame,
    "images of wider rows": lambda X: np.repeat(X, 2, 1)[:, ::2].reshape(-1, 8, 8),
    "images by columns": lambda X: np.asfortranarray(X.reshape(-1, 8, 8)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_however_x_lies_in_memory_the_refit_trains_nothing(layout, tmp_path, phases):
    X = LAYOUTS[layout](digit_vectors(70)[0])
    model = decs(autoencoder="shallow", pretrain_epochs=1, memory=str(tmp_path))
    if layout.startswith("images"):
        model.set_params(autoencoder=small_conv)
    search = GridSearchCV(model, {"alpha": [0.5, 1.0]}, cv=InSampleSplit()).fit(X)
    assert phases.count("pretrain") == 1 and phases.count("cluster") == 2
    assert search.best_score_ == search.score(X)
    alone = clone(search.best_estimator_).set_params(memory=None).fit(X)
    assert_same_fit(search.best_estimator_, alone)


def test_a_decoder_is_refitted_once(tmp_path, phases):
    images, _ = digit_images(80)
    fits = [
        decs(autoencoder=small_conv, memory=memory).fit(images)
        for memory in (None, str(tmp_path), str(tmp_path))
    ]
    assert phases == 2 * ["pretrain", "cluster", "decoder"]
    assert_same_fit(fits[1], fits[0])
    assert_same_fit(fits[2], fits[0])


AFTER_THE_START = {
    "kernel_scale": 1.5,
    "tol": 0.1,
    "refresh_interval": 3,
    "guard": True,
}
OF_CLUSTERING = [
    *((idcl, {name: value}) for name, value in AFTER_THE_START.items()),
    (idcl, {"gamma": 0.5}),
    (idcl, {"pacing": "linear"}),
    (idcl, {"pacing": lambda t, n, first: first}),
    (idcl, {"core_fraction": 0.3}),
    (idcl, {"max_epochs": 3}),
    (decs, {"alpha": 0.5}),
    (decs, {"balance": 0.1}),
    (decs, {"max_iter": 3}),
]


@pytest.mark.parametrize(("short", "change"), OF_CLUSTERING)
def test_what_makes_another_clustering(short, change, tmp_path, phases):
    X, _ = digit_vectors(80)
    quick = {"autoencoder": "shallow", "pretrain_epochs": 1, "memory": str(tmp_path)}
    model = short(**quick).fit(X)
    phases.clear()
    other = clone(model).set_params(**change)
    for _ in range(2):
        other.fit(X)
    assert phases == ["cluster"] + ["decoder"] * (short is decs)
    assert_same_fit(other, clone(other).set_params(memory=None).fit(X))


@pytest.mark.parametrize("short", BOTH)
def test_an_estimator_fitted_before_keeps_all_that_a_new_one_needs(
    short, tmp_path, phases
):
    X, _ = digit_vectors(80)
    model = short(autoencoder="shallow", pretrain_epochs=1, memory=str(tmp_path))
    model.fit(X)
    model.set_params(tol=0.1).fit(X)  # kept, with attributes of the first fit around
    phases.clear()
    new = clone(model).fit(X)
    assert phases == []
    assert_same_fit(new, clone(model).set_params(memory=None).fit(X))
    assert set(vars(new)) == set(vars(model))
    assert new.score(X) == model.score(X)


def test_faults_of_a_clustering_are_told_each_time(tmp_path, phases, monkeypatch):
    X, _ = digit_vectors(80)
    model = idcl(memory=str(tmp_path), pretrain_epochs=1, lr=1e20, guard=True)
    # that would diverge, too
    monkeypatch.setattr(Trainer, "pretrain", lambda *args: None)
    messages = []
    for _ in range(2):
        with pytest.warns(ConvergenceWarning, match="'rollback' in history_") as caught:
            model.fit(X)
        messages.append([str(w.message) for w in caught])
    assert phases == ["cluster"]
    assert messages[0] == messages[1]


# -- what makes another entry ----------------------------------------------------------

CHANGES = [
    {"random_state": 1},
    {"n_components": 5},
    {"autoencoder": "shallow"},
    {"pretrain_epochs": 3},
    {"batch_size": 64},
    {"lr": 1e-3},
    {"schedule": "constant"},
    {"augment": False},
    {"augment": brighter},
    {"precision": "bfloat16"},
    {"compile": True},
    {"n_clusters": 4},  # of 80 samples: larger clusters, more neighbours
]
START_CHANGES = [{"n_clusters": 9}, {"init": "spectral"}, {"n_init": 2}]
NO_CHANGES = [
    *({name: value} for name, value in AFTER_THE_START.items()),
    {"warm_start": True},
    {"verbose": 0},
]


@pytest.mark.parametrize(
    ("change", "done"),
    [
        *((change, BOTH_STEPS) for change in CHANGES),
        *((change, ["start"]) for change in START_CHANGES),
        *((change, []) for change in NO_CHANGES),
    ],
)
def test_what_makes_another_entry(change, done, tmp_path, steps, monkeypatch):
    # compiling takes most of a minute, and is for other tests
    monkeypatch.setattr(base, "can_compile", lambda device: True)
    passes = compilation.encode, compilation.decode
    monkeypatch.setattr(compilation, "compiled_passes", lambda: passes)
    X, _ = digit_vectors(80)
    model = idcl(memory=str(tmp_path), pretrain_epochs=2, max_epochs=1).fit(X)
    steps.clear()
    other = clone(model).set_params(**change).fit(X)
    assert steps == done
    assert_same_fit(other, clone(model).set_params(**change, memory=None).fit(X))


def test_another_x_is_another_entry(tmp_path, steps):
    X, _ = digit_vectors(80)
    model = idcl(memory=str(tmp_path), pretrain_epochs=2, max_epochs=1).fit(X)
    nudged = X.copy()
    nudged[40, 20] += 1e-9
    for other in (nudged, X[::-1], X[:79], X.astype(np.float32)):
        steps.clear()
        model.fit(other)
        assert steps == BOTH_STEPS
    steps.clear()
    model.fit(X.copy())
    assert steps == []


def test_images_of_another_shape_are_another_entry(tmp_path, steps):
    X, _ = digit_vectors(80)
    model = decs(memory=str(tmp_path), autoencoder="mlp", pretrain_epochs=1)
    for shape in [(8, 8), (4, 16)]:
        model.set_params(image_shape=shape).fit(X)
    assert steps == 2 * BOTH_STEPS


def test_versions_and_threads_are_part_of_the_key(tmp_path, steps, monkeypatch):
    X, _ = digit_vectors(80)
    model = idcl(memory=str(tmp_path), pretrain_epochs=1, max_epochs=1).fit(X)
    for name in ("torch.__version__", "deepdensity.memory.recall.__version__"):
        monkeypatch.setattr(name, "99")
        model.fit(X)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 77)
    model.fit(X)
    assert steps == 4 * BOTH_STEPS


# -- networks and functions of one's own -----------------------------------------------


def test_own_networks_are_told_apart_by_weights_and_code(tmp_path, steps):
    X, _ = digit_vectors(80)
    short = functools.partial(idcl, pretrain_epochs=2, max_epochs=1)
    with torch.random.fork_rng(devices=[]):
        made = Own((64,), 10)
    reweighted, frozen = (clone_module(made) for _ in range(2))
    reweighted.encoder.weight.data[0, 0] += 1e-3
    frozen.decoder.bias.requires_grad_(False)
    networks = [Own, OtherCode, Steeper, made, reweighted, frozen]
    for network in networks:
        model = short(autoencoder=network, memory=str(tmp_path)).fit(X)
        assert_same_fit(model, short(autoencoder=network).fit(X))
    kept = len(steps)
    assert kept == 2 * 2 * len(networks)
    for network in networks:
        short(autoencoder=network, memory=str(tmp_path)).fit(X)
    assert len(steps) == kept
    partial = functools.partial(MLPAutoencoder, hidden=(16,))
    short(autoencoder=partial, memory=str(tmp_path)).fit(X)
    assert len(steps) == kept + 2


def clone_module(module):
    other = Own((64,), 10)
    other.load_state_dict(module.state_dict())
    return other


def test_another_seed_of_a_network_with_weights_of_its_own_is_another_entry(tmp_path):
    made = MLPAutoencoder((64,), 10, hidden=(16,))
    short = functools.partial(decs, autoencoder=made, augment=False, max_iter=0)
    X, _ = digit_vectors(150)
    first = short(memory=str(tmp_path)).fit(X)
    kept = short(memory=str(tmp_path), random_state=1).fit(X)
    assert_array_equal(kept.embedding_, short(random_state=1).fit(X).embedding_)
    assert not np.array_equal(kept.embedding_, first.embedding_)


def test_augmentations_are_told_apart_by_code_and_what_they_enclose(tmp_path, steps):
    X, _ = digit_vectors(80)
    model = idcl(memory=str(tmp_path), pretrain_epochs=1, max_epochs=1)

    def shifted(amount):
        return lambda x, generator: x + amount

    augments = [brighter, darker, shifted(0.1), shifted(0.2)]
    for augment in augments:
        model.set_params(augment=augment).fit(X)
    assert steps == 4 * BOTH_STEPS
    model.set_params(augment=shifted(0.2)).fit(X)
    assert steps == 4 * BOTH_STEPS


def test_what_cannot_be_hashed_is_said_and_done(tmp_path, steps):
    X, _ = digit_vectors(80)
    model = idcl(autoencoder=Unhashable, pretrain_epochs=1, max_epochs=1)
    model.set_params(memory=str(tmp_path))
    for _ in range(2):
        message = "memory is not used for the step 'pret"
        with pytest.warns(UserWarning, match=message) as caught:
            model.fit(X)
        assert {warning.filename for warning in caught} == {__file__}
    assert steps == 2 * BOTH_STEPS


# -- where it is not used --------------------------------------------------------------


def test_no_random_state_is_never_kept(tmp_path, steps):
    X, _ = digit_vectors(80)
    model = idcl(memory=str(tmp_path), pretrain_epochs=1, max_epochs=1)
    model.set_params(random_state=None)
    embeddings = [model.fit(X).embedding_ for _ in range(2)]
    assert steps == 2 * BOTH_STEPS
    assert (embeddings[0] != embeddings[1]).any()
    assert list(tmp_path.iterdir()) == []


def test_a_generator_given_for_the_seeds_makes_an_entry_a_draw(tmp_path, steps):
    X, _ = digit_vectors(80)
    model = idcl(memory=str(tmp_path), pretrain_epochs=1, max_epochs=1)
    for done in (BOTH_STEPS, []):
        random = np.random.RandomState(0)
        for _ in range(2):  # each fit draws on
            steps.clear()
            model.set_params(random_state=random).fit(X)
            assert steps == done


def test_callbacks_see_the_pretraining_always(tmp_path, steps):
    X, _ = digit_vectors(80)
    for _ in range(2):
        nets = Nets()
        idcl(memory=str(tmp_path), callbacks=[nets], max_epochs=1).fit(X)
        assert {"pretrain", "cluster"} <= set(nets.seen)
    assert steps == 2 * BOTH_STEPS
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("short", BOTH)
def test_a_warm_start_goes_on_as_without(short, tmp_path, steps):
    X, _ = digit_vectors(80)
    fits = []
    for memory in (None, str(tmp_path), str(tmp_path)):
        model = short(warm_start=True, memory=memory, pretrain_epochs=2).fit(X)
        model.fit(X)
        fits.append(model.set_params(n_clusters=4).fit(X))  # from a start of its own
    assert_same_fit(fits[1], fits[0])
    assert_same_fit(fits[2], fits[0])
    # without memory, with it for the first time, and all recalled
    assert steps == 2 * ["pretrain", "start", "start"]


def test_a_divergence_is_reported_each_time(tmp_path, steps):
    X, _ = digit_vectors(80)
    model = idcl(memory=str(tmp_path), lr=1e20, schedule="constant", max_epochs=0)
    model.set_params(pretrain_epochs=1)
    for _ in range(2):
        with pytest.raises(ValueError, match="pretraining has diverged"):
            model.fit(X)
    assert steps == 2 * 3 * ["pretrain"]


def test_a_lowered_rate_is_reported_and_used_each_time(tmp_path, steps, monkeypatch):
    X, _ = digit_vectors(80)
    embed = Trainer.embed

    def diverging(self):
        return np.full((1, 1), np.nan) if self.lr == 1.0 else embed(self)

    monkeypatch.setattr(Trainer, "embed", diverging)
    model = idcl(memory=str(tmp_path), lr=1.0, pretrain_epochs=1, max_epochs=1)
    fits = []
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"diverged at lr=1.0: used 0.1"):
            fits.append(clone(model).fit(X))
    assert steps == ["pretrain", "pretrain", "start"]
    assert_same_fit(*fits)


def test_memory_must_be_a_folder_or_of_joblib():
    with pytest.raises(ValueError, match="'memory' parameter of IDCLClustering must"):
        idcl(memory=3).fit(np.eye(20))


@pytest.mark.parametrize("short", BOTH)
def test_the_number_of_clusters_is_found_once(short, tmp_path, monkeypatch):
    X, _ = digit_vectors(150)
    tried, try_numbers = [], first_clusters.try_numbers

    def noted(trainer, Z, n_steps, seed):
        tried.append(seed)
        return try_numbers(trainer, Z, 3, seed)

    monkeypatch.setattr(first_clusters, "try_numbers", noted)
    model = short(augment="auto").set_params(n_clusters="auto")
    kept = clone(model).set_params(memory=str(tmp_path))
    plain, first, second = model.fit(X), kept.fit(X), clone(kept).fit(X)
    assert len(tried) == 2  # without memory, and with it the first time
    for found in (first, second):
        assert found.n_clusters_ == plain.n_clusters_
        assert found.n_clusters_scores_ == plain.n_clusters_scores_
        assert_array_equal(found.labels_, plain.labels_)
        assert_array_equal(found.embedding_, plain.embedding_)
