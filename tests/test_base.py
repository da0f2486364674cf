"""What both estimators share: kinds of X, fitted methods, warm start, callbacks."""

import pickle
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from skorch.callbacks import Callback, EarlyStopping, LRScheduler
from torch import nn

from deepdensity import base, first_clusters, load, recipe
from deepdensity.assignment import cluster_means
from deepdensity.information import net_information
from deepdensity.samples import inputs
from deepdensity.samples.rows import SomeRows

from . import reference
from .common import (
    BOTH,
    N_CLUSTERS,
    Nets,
    colour_images,
    decs,
    digit_images,
    digit_vectors,
    idcl,
    only_start,
    small_conv,
    small_transformer,
)

KINDS = {
    "list": lambda X: X.tolist(),
    "Fortran order": np.asfortranarray,
    "pandas": pd.DataFrame,
    "polars": lambda X: pl.DataFrame(X, schema=[f"p{i}" for i in range(X.shape[1])]),
    "CSR": sparse.csr_array,
    "CSC": sparse.csc_matrix,
    "COO": sparse.coo_matrix,
}


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_X_gives_the_same_clusters(short, kind):
    X, _ = digit_vectors(200)
    expected = short().fit(X)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*not writable")
        found = short().fit(KINDS[kind](X))
        assert_array_equal(found.predict(KINDS[kind](X)), found.labels_)
    assert_array_equal(found.labels_, expected.labels_)
    assert_allclose(found.transform(KINDS[kind](X)), expected.embedding_, atol=1e-5)


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_read_only_and_memory_mapped_arrays(short, dtype, tmp_path):
    X = digit_images(200)[0].astype(dtype)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    expected = short(autoencoder=small_conv).fit(X)
    with warnings.catch_warnings():
        # torch warns of arrays that it cannot write to
        warnings.filterwarnings("error", message=".*not writable")
        found = short(autoencoder=small_conv).fit(mapped)
    assert_array_equal(found.labels_, expected.labels_)
    assert_array_equal(found.predict(mapped), found.labels_)


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("autoencoder", [small_conv, small_transformer, "mlp"])
def test_images_are_the_same_in_every_layout(short, autoencoder):
    images, _ = colour_images()
    n = len(images)
    layouts = {
        "channels last": (images, None),
        "channels first": (images.transpose(0, 3, 1, 2), None),
        "flat, channels last": (images.reshape(n, -1), (8, 8, 3)),
        "flat, channels first": (
            images.transpose(0, 3, 1, 2).reshape(n, -1),
            (3, 8, 8),
        ),
        "flat, inferred": (images.reshape(n, -1), (8, -1, 3)),
    }
    fits = {
        name: short(autoencoder=autoencoder, image_shape=shape).fit(X)
        for name, (X, shape) in layouts.items()
    }
    expected = fits["channels last"]
    for name, (X, _) in layouts.items():
        found = fits[name]
        assert_array_equal(found.labels_, expected.labels_, err_msg=name)
        assert_array_equal(found.predict(X), found.labels_, err_msg=name)
        back = found.inverse_transform(found.embedding_)
        assert back.shape == X.shape, name


def test_grey_images_with_and_without_a_channel_axis():
    images, _ = digit_images(150)
    flat = idcl(autoencoder=small_conv, image_shape=(8, 8)).fit(images.reshape(150, 64))
    for X in (images, images[..., None], images[:, None]):
        assert_array_equal(idcl(autoencoder=small_conv).fit_predict(X), flat.labels_)


@pytest.mark.parametrize("short", BOTH)
def test_images_may_be_predicted_flat_after_a_fit_on_images(short):
    images, _ = digit_images(150)
    model = short(autoencoder=small_conv).fit(images)
    assert_array_equal(model.predict(images.reshape(150, -1)), model.labels_)


@pytest.mark.parametrize("short", BOTH)
def test_uint8_stays_uint8_until_a_batch_is_read(short, monkeypatch):
    images = digit_images(150)[0].astype(np.uint8)
    seen = []
    read = inputs.Source.read

    def spy(self, rows, dtype=torch.float32):
        X = self.X.X if isinstance(self.X, SomeRows) else self.X
        seen.append((X.dtype, np.shares_memory(X, images)))
        return read(self, rows, dtype)

    monkeypatch.setattr(inputs.Source, "read", spy)
    short(autoencoder=small_conv).fit(images).predict(images)
    assert set(seen) == {(np.dtype(np.uint8), True)}


@pytest.mark.parametrize("short", BOTH)
def test_CSR_is_made_dense_a_batch_at_a_time(short, monkeypatch):
    monkeypatch.setattr(inputs, "EMBEDDED", 100)
    X = sparse.csr_array(digit_vectors(300)[0])
    rows = []
    toarray = sparse.csr_array.toarray
    monkeypatch.setattr(
        sparse.csr_array,
        "toarray",
        lambda self, *args: (rows.append(self.shape[0]), toarray(self, *args))[1],
    )
    short(batch_size=32).fit(X)
    assert rows and max(rows) == 100
    assert np.median(rows) <= 32


@pytest.mark.parametrize("short", BOTH)
def test_embedding_has_the_precision_of_X(short):
    X, _ = digit_vectors(150)
    model = short(n_components=4).fit(X)
    assert model.transform(X).dtype == np.float64
    assert model.transform(X.astype(np.float32)).dtype == np.float32
    assert model.transform(X).shape == (150, 4)
    assert list(model.get_feature_names_out()) == [
        f"{type(model).__name__.lower()}{i}" for i in range(4)
    ]


@pytest.mark.parametrize("short", BOTH)
def test_methods_agree_with_one_another(short):
    X, _ = digit_vectors()
    model = short().fit(X)
    assert_array_equal(model.predict(X), model.labels_)
    assert_array_equal(short().fit_predict(X), model.labels_)
    again = short()
    Z = again.fit_transform(X)
    assert_allclose(Z, model.transform(X), rtol=1e-12)
    Z += 1  # as a later step of a pipeline may, with copy=False
    assert_array_equal(again.embedding_, model.embedding_)
    proba = model.predict_proba(X)
    assert proba.shape == (len(X), N_CLUSTERS)
    assert_allclose(proba.sum(1), 1)
    assert_array_equal(proba.argmax(1), model.labels_)
    assert model.score_samples(X).shape == (len(X),)
    assert type(model.score(X)) is float
    assert model.score(X, np.arange(len(X))) == model.score(X)


@pytest.mark.parametrize("short", BOTH)
def test_labels_do_not_leak_into_fit(short):
    X, y = digit_vectors(200)
    plain, told = short().fit(X), short().fit(X, y)
    assert_array_equal(plain.labels_, told.labels_)
    assert_array_equal(plain.embedding_, told.embedding_)


@pytest.mark.parametrize("short", BOTH)
def test_decoder_works_after_the_clustering_phase(short):
    X, _ = digit_vectors()
    model = short(pretrain_epochs=60).fit(X)
    back = model.inverse_transform(model.transform(X))
    error = ((back - X) ** 2).mean()
    assert_allclose(error, model.reconstruction_error_, rtol=1e-3)
    assert error < 0.6 * X.var(axis=0).mean()  # the mean image has 1.0 of it


@pytest.mark.parametrize("short", BOTH)
def test_history_tells_the_phases(short):
    model = short().fit(digit_vectors(200)[0])
    phases = model.history_[:, "phase"]
    assert phases[:8] == ["pretrain"] * 8
    assert "cluster" in phases
    assert all(np.isfinite(model.history_[:, "train_loss"]))


@pytest.mark.parametrize("short", BOTH)
def test_warm_start_goes_on_without_pretraining(short):
    X, _ = digit_vectors(200)
    model = short(warm_start=True).fit(X)
    before = model.embedding_.copy()
    first, saved = model.module_, pickle.dumps(model)
    model.fit(X)
    assert "pretrain" not in model.history_[:, "phase"]
    assert not np.array_equal(model.embedding_, before)
    assert model.module_ is not first  # the first fit's network is left as it was
    assert_array_equal(pickle.loads(saved).transform(X), before)
    with pytest.raises(ValueError, match=r"warm_start=True.*\(64,\).*\(60,\)"):
        model.fit(X[:, :60])
    fresh = clone(model).set_params(warm_start=False).fit(X)
    assert_allclose(fresh.embedding_, before, rtol=1e-12)


@pytest.mark.parametrize("short", BOTH)
def test_a_number_of_clusters_may_be_one_of_numpys(short):
    X, _ = digit_vectors(150)
    found = short().set_params(n_clusters=np.int64(4)).fit(X)
    assert type(found.n_clusters_) is int
    expected = short().set_params(n_clusters=4).fit(X)
    assert_array_equal(found.labels_, expected.labels_)
    assert_array_equal(found.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize("short", BOTH)
def test_fits_that_go_on_take_a_new_kernel_scale(short):
    X, _ = digit_vectors(150)
    model = short(warm_start=True).fit(X)
    scale = model.kernel_scale_
    assert model.fit(X).kernel_scale_ == scale
    assert model.set_params(kernel_scale=7.5).fit(X).kernel_scale_ == 7.5
    assert model.set_params(kernel_scale=2).partial_fit(X).kernel_scale_ == 2.0


@pytest.mark.parametrize("short", BOTH)
def test_a_batch_keeps_the_size_of_the_embedding(short, tmp_path):
    X, _ = digit_vectors(150)
    model = short(autoencoder="auto").fit(X)
    model.set_params(n_components=3).partial_fit(X)
    assert model.inverse_transform(model.embedding_).shape == X.shape
    assert len(model.get_feature_names_out()) == 10
    model.save(tmp_path / "model.safetensors")
    loaded = load(tmp_path / "model.safetensors")
    assert_array_equal(loaded.predict(X), model.labels_)


def frozen_conv(input_shape, n_components):
    module = small_conv(input_shape, n_components)
    module.encoder.requires_grad_(False)
    return module


@pytest.mark.parametrize("short", BOTH)
def test_an_encoder_may_be_frozen(short):
    images = digit_images(150)[0].astype(np.float32)
    model = short(autoencoder=frozen_conv).fit(images)
    assert np.isfinite(model.score(images))
    if short is decs:
        assert "decoder" in model.history_[:, "phase"]


def frozen_whole(input_shape, n_components):
    return small_conv(input_shape, n_components).requires_grad_(False)


@pytest.mark.parametrize("short", BOTH)
def test_a_network_with_nothing_to_train_needs_phases_without_epochs(short):
    images = digit_images(150)[0].astype(np.float32)
    message = "no parameter with requires_grad, which leaves the pretraining nothing"
    with pytest.raises(ValueError, match=message):
        short(autoencoder=frozen_whole).fit(images)
    model = short(autoencoder=frozen_whole, pretrain_epochs=0)
    if short is decs:  # its centres are trained
        start = only_start(decs, autoencoder=frozen_whole, pretrain_epochs=0)
        start.fit(images)
        model.fit(images)
        assert not np.allclose(model.cluster_centers_, start.cluster_centers_)
    else:
        with pytest.raises(ValueError, match="which leaves the clustering nothing"):
            model.fit(images)
        model.set_params(max_epochs=0).fit(images)
        assert model.n_iter_ == 0


@pytest.mark.parametrize(
    ("short", "later"),
    [
        (decs, {"alpha": 5.0, "lambda_var": 0.1, "determinacy": "linear"}),
        (idcl, {"density_kernel": "cutoff", "core_fraction": 0.5}),
        *((short, {"kernel_scale": 9.0, "n_clusters": 3}) for short in BOTH),
    ],
)
def test_a_fitted_model_goes_by_the_parameters_of_its_fit(short, later):
    X, _ = digit_vectors(150)
    model = short().fit(X)
    before = model.predict_proba(X), model.score_samples(X), model.score(X)
    model.set_params(**later)
    after = model.predict_proba(X), model.score_samples(X), model.score(X)
    for old, new in zip(before, after):
        assert_array_equal(old, new)


class Phases(Callback):
    """Notes the phase of each epoch."""

    def initialize(self):
        self.seen = getattr(self, "seen", [])
        return self

    def on_epoch_end(self, net, **kwargs):
        self.seen.append(net.phase)


@pytest.mark.parametrize("short", BOTH)
def test_callbacks_of_skorch_see_every_phase(short):
    phases = Phases()
    short(callbacks=[phases]).fit(digit_vectors(200)[0])
    assert phases.seen.count("pretrain") == 8
    assert phases.seen.count("cluster") >= 3


def test_early_stopping_and_learning_rate_schedules_of_skorch():
    X, _ = digit_vectors(200)
    stop = EarlyStopping(monitor="train_loss", patience=2, threshold=0.9, sink=str)
    model = idcl(callbacks=[stop], pretrain_epochs=50).fit(X)
    assert model.history_[:, "phase"].count("pretrain") < 50
    assert_array_equal(model.predict(X), model.labels_)
    rates = LRScheduler(policy="StepLR", step_size=1, gamma=0.5)
    constant = {"lr": 1e-3, "schedule": "constant"}
    history = idcl(callbacks=[("rates", rates)], **constant).fit(X).history_
    assert_allclose(history[:8, "event_lr"], 1e-3 * 0.5 ** np.arange(8))


@pytest.mark.parametrize("short", BOTH)
def test_silent_unless_verbose(short, capfd):
    X, _ = digit_vectors(150)
    short().fit(X)
    assert capfd.readouterr() == ("", "")
    short(verbose=1).fit(X)
    out, err = capfd.readouterr()
    assert out == ""
    assert "pretraining" in err and "clustering" in err and "loss=" in err


class Linear(nn.Module):
    """A user's module, with tied weights and no forward."""

    def __init__(self, input_shape, n_components):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_components, input_shape[0]) / 8)
        self.bias = nn.Parameter(torch.zeros(input_shape[0]))

    def encode(self, x):
        return x @ self.weight.T

    def decode(self, z):
        return z @ self.weight + self.bias


@pytest.mark.parametrize("short", BOTH)
def test_own_modules_as_class_function_and_instance(short):
    X, _ = digit_vectors(200)
    by_class = short(autoencoder=Linear).fit(X)
    by_function = short(autoencoder=lambda shape, size: Linear(shape, size)).fit(X)
    assert isinstance(by_class.module_, Linear)
    assert_array_equal(by_class.labels_, by_function.labels_)
    instance = Linear((64,), 10)
    before = instance.weight.detach().clone()
    model = short(autoencoder=instance).fit(X)
    assert torch.equal(instance.weight, before)  # a copy is trained
    assert not torch.equal(model.module_.weight, before)
    assert_array_equal(model.predict(X), model.labels_)


@pytest.mark.parametrize("short", BOTH)
def test_tied_weights_stay_with_the_embedding_when_the_decoder_is_refitted(short):
    X, _ = digit_vectors(200)
    model = short(autoencoder=Linear).fit(X)
    assert_array_equal(model.predict(X), model.labels_)
    # the bias is the decoder's own: there is something to refit, in DECS alone
    assert ("decoder" in model.history_[:, "phase"]) == (short is decs)


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("augment", [False, True, "affine", lambda x, g: x.flip(3)])
def test_augmentation_can_be_switched_off_or_replaced(short, augment):
    images, _ = digit_images(150)
    usual = short(autoencoder=small_conv).fit(images)
    other = short(autoencoder=small_conv, augment=augment).fit(images)
    same = np.array_equal(usual.embedding_, other.embedding_)
    assert same == (augment in (True, "affine"))


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("augment", [False, True, "affine", lambda x, g: x / 2])
def test_views_of_vectors_can_be_switched_off_or_replaced(short, augment):
    X, _ = digit_vectors(150)
    usual, other = short().fit(X), short(augment=augment).fit(X)
    same = np.array_equal(usual.embedding_, other.embedding_)
    assert same == (augment is True)
    if augment == "affine":
        plain = short(augment=False).fit(X)
        assert_array_equal(plain.embedding_, other.embedding_)


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("init", ["k-means", "spectral"])
def test_fewer_distinct_samples_than_clusters_warn_as_k_means_does(short, init):
    X = np.repeat(np.eye(3), 50, axis=0)
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(\d\)"):
        model = short(init=init).fit(X)
    n_found = len(np.unique(model.labels_))
    assert n_found <= 3
    assert_array_equal(np.unique(model.labels_), np.arange(n_found))
    assert np.isfinite(model.predict_proba(X)).all()
    assert np.isfinite(model.score_samples(X)).all()


@pytest.mark.parametrize("short", BOTH)
def test_constant_data_warn_and_give_one_cluster(short):
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(1\)"):
        model = short().fit(np.full((40, 5), 7.25))
    assert_array_equal(model.labels_, 0)


@pytest.mark.parametrize("short", BOTH)
def test_no_epochs_at_all_is_k_means_on_the_initial_embedding(short):
    X, _ = digit_vectors(150)
    rest = {"max_epochs": 0} if short is idcl else {"max_iter": 0}
    model = short(pretrain_epochs=0, **rest).fit(X)
    assert model.n_iter_ == 0
    assert len(model.history_) == 0
    assert_array_equal(model.predict(X), model.labels_)
    kmeans = KMeans(N_CLUSTERS, n_init=3, random_state=model._start_seed)
    labels = kmeans.fit_predict(model.embedding_.astype(np.float64))
    assert adjusted_rand_score(labels, model.pretrain_labels_) > 0.99
    if short is decs:  # cores are other points than the centres
        assert_array_equal(model.labels_, model.pretrain_labels_)


@pytest.mark.parametrize("short", BOTH)
def test_one_cluster_and_one_sample(short):
    X, _ = digit_vectors(30)
    one = short(autoencoder=small_conv, image_shape=(8, 8)).set_params(n_clusters=1)
    assert_array_equal(one.fit_predict(X), 0)
    assert_array_equal(one.fit_predict(X[:1]), 0)


@pytest.mark.parametrize("short", BOTH)
def test_uneven_and_wide_images(short):
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(40, 9, 21))
    for autoencoder in (small_conv, small_transformer):
        model = short(autoencoder=autoencoder, n_components=3).fit(X)
        back = model.inverse_transform(model.transform(X))
        assert back.shape == X.shape


# -- the parameters of the recipe ------------------------------------------------------


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize(
    "change",
    [{"schedule": "constant"}, {"precision": "bfloat16"}, {"lr": 1e-3}],
)
def test_parameters_reach_the_pretraining(short, change):
    X, _ = digit_vectors(150)
    usual, other = only_start(short).fit(X), only_start(short, **change).fit(X)
    assert not np.array_equal(usual.embedding_, other.embedding_)
    assert other.embedding_.dtype == np.float64
    assert np.isfinite(other.embedding_).all()
    assert_array_equal(other.predict(X), other.labels_)


@pytest.mark.parametrize("short", BOTH)
def test_refreshes_are_rare_beside_training_by_default(short):
    X, _ = digit_vectors(250)
    more = {"batch_size": 2, "tol": 0, "pretrain_epochs": 1}
    limit = {"max_epochs": 5} if short is idcl else {"max_iter": 5 * 125}
    model = short(refresh_interval="auto", **limit, **more).fit(X)
    rows = [row for row in model.history_ if row["phase"] == "cluster"]
    if short is idcl:
        changes = ["label_change" in row for row in rows]
        assert changes == [True, False, True, False, True]
    else:
        assert [row["train_batch_count"] for row in rows] == [250, 250, 125]


@pytest.mark.parametrize("has", [True, False])
def test_precision_auto_is_bfloat16_where_the_device_has_it(has, monkeypatch):
    monkeypatch.setattr(base, "has_bfloat16", lambda device: has)
    X, _ = digit_vectors(150)
    auto = only_start(decs, precision="auto").fit(X)
    same = only_start(decs, precision="bfloat16" if has else "float32").fit(X)
    assert_array_equal(auto.embedding_, same.embedding_)


@pytest.mark.parametrize("short", BOTH)
def test_images_are_turned_into_what_the_pretrain_target_says(short):
    images, _ = digit_images(150)
    nets, more = Nets(), {"autoencoder": small_conv}
    for target in ("clean", "augmented"):
        short(pretrain_target=target, callbacks=[nets], **more).fit(images)
        for phase in ("pretrain", "cluster"):
            views = nets.seen[phase].iterator_train__views
            assert views.clean == (target == "clean")


@pytest.mark.parametrize(
    ("steps", "n_epochs"), [((1, 99), 6), ((20, 99), 7), ((1, 9), 3)]
)
@pytest.mark.parametrize("short", BOTH)
def test_pretrain_epochs_auto_keeps_to_a_number_of_steps(
    short, steps, n_epochs, monkeypatch
):
    fewest, most = steps
    monkeypatch.setattr(recipe, "PRETRAIN_EPOCHS", 6)
    monkeypatch.setattr(recipe, "FEWEST_STEPS", (fewest, fewest))
    monkeypatch.setattr(recipe, "MOST_STEPS", most)
    model = only_start(short, pretrain_epochs="auto")
    model.fit(digit_vectors(300)[0])  # 3 steps an epoch
    assert model.history_[:, "phase"] == ["pretrain"] * n_epochs


# -- divergence and collapse -----------------------------------------------------------


class Spoil(Callback):
    """Spoils the network at the end of some epochs: ``when(net)``."""

    def __init__(self, value, when):
        self.value = value
        self.when = when

    def on_epoch_end(self, net, **kwargs):
        if self.when(net):
            with torch.no_grad():
                for parameter in net.module_.parameters():
                    parameter.fill_(self.value)


class Blur(Callback):
    """Moves the first layer's weights at the end of the clustering phase."""

    def on_epoch_end(self, net, **kwargs):
        if net.phase == "cluster":
            with torch.no_grad():
                weight = next(net.module_.parameters())
                weight.add_(torch.linspace(-0.03, 0.03, weight.numel()).view_as(weight))


def second_epoch_of_clustering(net):
    return net.phase == "cluster" and len(net.history) == 2


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize(
    ("value", "fault"), [(0.0, "collapsed"), (float("nan"), "diverged")]
)
def test_the_guard_goes_back_before_a_fault_and_says_so(short, value, fault):
    X, _ = digit_vectors(200)
    spoil = Spoil(value, second_epoch_of_clustering)
    with pytest.warns(ConvergenceWarning, match="diverged 1 time") as caught:
        model = short(callbacks=[spoil], tol=0, guard=True, autoencoder="shallow").fit(
            X
        )
    assert caught[0].filename == __file__
    rows = [row for row in model.history_ if row["phase"] == "cluster"]
    assert [row.get("rollback") for row in rows[:3]] == [None, fault, None]
    assert len(np.unique(model.labels_)) == N_CLUSTERS
    assert np.isfinite(model.embedding_).all()
    assert np.isfinite(model.score(X))


@pytest.mark.parametrize("short", BOTH)
def test_without_the_guard_a_collapse_stays(short):
    X, _ = digit_vectors(200)
    spoil = Spoil(0.0, second_epoch_of_clustering)
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(1\)") as caught:
        model = short(callbacks=[spoil], tol=0, guard=False, lr=1e-30).fit(X)
    assert [warning.filename for warning in caught] == [__file__]
    assert all("rollback" not in row for row in model.history_)
    assert_array_equal(model.labels_, 0)


@pytest.mark.parametrize("short", BOTH)
def test_without_the_guard_divergence_is_an_error(short):
    model = short(guard=False, pretrain_epochs=0, lr=1e30)
    with pytest.raises(ValueError, match=r"clustering phase.*lr=1e\+30.*guard=True"):
        model.fit(digit_vectors(200)[0])
    assert not hasattr(model, "embedding_")


@pytest.mark.parametrize("short", BOTH)
def test_a_phase_that_always_diverges_ends_at_its_start(short):
    X, _ = digit_vectors(200)
    model = short(pretrain_epochs=0, lr=1e30, tol=0, guard=True)
    with pytest.warns(ConvergenceWarning, match="diverged 3 times.*ended there"):
        model.fit(X)
    phases = model.history_[:, "phase"]
    n_epochs = phases.count("cluster")
    assert model.history_[:n_epochs, "rollback"] == ["diverged"] * 3
    start = only_start(short, pretrain_epochs=0).fit(X)
    assert_array_equal(model.embedding_, start.embedding_)
    assert_array_equal(model.labels_, start.pretrain_labels_)
    if short is idcl:
        assert_clusters_are_cores(model)


@pytest.mark.parametrize("short", BOTH)
def test_an_end_that_is_worse_than_the_start_is_not_kept(short):
    images = digit_images(200)[0].astype(np.float32)
    more = {"autoencoder": small_conv, "pretrain_epochs": 40, "tol": 0}
    model = short(guard=True, callbacks=[Blur()], **more)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(images)
    assert not any("start" in str(warning.message) for warning in caught)
    rows = [row for row in model.history_ if row["phase"] == "cluster"]
    assert rows[-1]["rollback"] == "worse than the start"
    assert model.history_[-1, "phase"] == "cluster"  # the decoder fits the start
    start = only_start(short, **more).fit(images)
    assert_array_equal(model.embedding_, start.embedding_)
    assert model.information_ == model.start_information_
    assert_array_equal(model.labels_, model.pretrain_labels_)  # of k-means, the start
    if short is idcl:
        assert_clusters_are_cores(model)
    unguarded = clone(model).set_params(guard=False).fit(images)
    assert unguarded.information_ < unguarded.start_information_
    assert not np.array_equal(unguarded.embedding_, start.embedding_)


@pytest.mark.parametrize("short", BOTH)
def test_a_fit_that_goes_on_and_ends_worse_is_left_with_its_last_clusters(short):
    images = digit_images(200)[0].astype(np.float32)
    # four samples a core, so that cores have a spread, and centres none
    more = {"core_fraction": 0.2} if short is idcl else {}
    model = short(autoencoder=small_conv, pretrain_epochs=40, tol=0, **more).fit(images)
    labels, head = model.labels_.copy(), head_of(model)
    model.set_params(warm_start=True, guard=True, callbacks=[Blur()])
    model.fit(images)
    assert "worse than the start" in [row.get("rollback") for row in model.history_]
    assert_array_equal(model.labels_, labels)
    for before, after in zip(head, head_of(model), strict=True):
        assert_array_equal(after, before)
    if short is idcl:
        sizes = np.bincount(labels, minlength=N_CLUSTERS)
        assert sizes.max() > 10 and (model.core_spreads_[sizes > 10] > 0).all()
        assert len(model.core_sample_indices_) < 200


def assert_clusters_are_cores(model):
    """Of a fit that has gone back to a start of centres."""
    assert_array_equal(model.core_spreads_, 0)
    assert_array_equal(model.core_sample_indices_, np.arange(len(model.labels_)))
    means = cluster_means(model.embedding_, model.labels_, N_CLUSTERS)
    assert_allclose(model.core_means_, means, atol=1e-3 * np.ptp(means))


def head_of(model):
    names = ("cluster_centers_", "core_means_", "core_spreads_")
    return [getattr(model, name).copy() for name in names if hasattr(model, name)]


@pytest.mark.parametrize("short", BOTH)
def test_without_views_the_end_counts(short, monkeypatch):
    X, _ = digit_vectors(200)
    monkeypatch.setattr(base, "net_information", lambda views: -1.0)
    guarded = short(augment=False, guard=True, tol=0).fit(X)
    assert not any("rollback" in row for row in guarded.history_)
    assert guarded.information_ == -1 < guarded.start_information_
    free = short(augment=False, tol=0).fit(X)
    assert_array_equal(guarded.embedding_, free.embedding_)
    assert_array_equal(guarded.labels_, free.labels_)


@pytest.mark.parametrize("short", BOTH)
def test_start_and_end_are_scored_by_what_views_share_less_what_is_lost(
    short, monkeypatch
):
    seen = []

    def spy(views):
        seen.append(views)
        return net_information(views)

    for module in (base, first_clusters):
        monkeypatch.setattr(module, "net_information", spy)
    model = short(augment="auto", guard=False).fit(digit_vectors(200)[0])
    start, end = (reference.net_information(views, 3) for views in seen)
    assert_allclose([model.start_information_, model.information_], [start, end])
    assert any((a != b).any() for a, b in seen)  # neighbours are not all in one cluster


@pytest.mark.parametrize("short", BOTH)
def test_scores_of_start_and_end_are_information_of_two_views(short):
    X, _ = digit_vectors(200)
    centres = {"core_fraction": None} if short is idcl else {}
    start = only_start(short, augment=False, **centres).fit(X)
    counts = np.bincount(start.labels_)
    share = counts / counts.sum()  # without augmentation all views are the same
    assert_allclose(start.information_, -(share * np.log(share)).sum(), rtol=1e-6)
    assert start.information_ == start.start_information_


def spoil_high_rates(limit):
    return Spoil(float("nan"), lambda net: net.phase == "pretrain" and net.lr > limit)


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("n_restarts", [0, 1, 2])
def test_pretraining_that_diverges_starts_again_at_a_tenth_of_the_rate(
    short, n_restarts
):
    X, nets = digit_vectors(200)[0], Nets()
    spoil = spoil_high_rates(0.002 * 10.0**-n_restarts)
    model = short(lr=0.002, callbacks=[spoil, nets])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(X)
    told = [w for w in caught if "pretraining diverged" in str(w.message)]
    assert len(told) == (n_restarts > 0)
    for warning in told:
        assert f"lr=0.002: used {0.002 / 10**n_restarts}." in str(warning.message)
        assert warning.filename == __file__
    phases = model.history_[:, "phase"]
    assert phases.count("pretrain") == 8 * (n_restarts + 1)
    for phase in ("pretrain", "cluster"):
        assert_allclose(nets.seen[phase].lr, 0.002 * 10.0**-n_restarts)
    losses = model.history_[:, "train_loss"]
    assert_allclose(losses[8 * n_restarts], losses[0], rtol=0.05)  # from fresh weights
    assert np.isfinite(model.embedding_).all()


@pytest.mark.parametrize("short", BOTH)
def test_float64_is_never_copied_whole(short, monkeypatch):
    X = np.random.default_rng(0).normal(size=(3000, 1000))
    model = short(pretrain_epochs=1, augment=False, init="k-means")
    model.set_params(**{"max_epochs" if short is idcl else "max_iter": 1})
    model.fit(X[:500])  # what is imported first is not of the data
    read, sizes = inputs.Source.read, []

    def noted(self, rows, *dtype):
        batch = read(self, rows, *dtype)
        sizes.append(len(batch))
        return batch

    monkeypatch.setattr(inputs.Source, "read", noted)
    tracemalloc.start()
    try:
        model.fit(X)
        model.predict_proba(X), model.transform(X), model.score_samples(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < X.nbytes / 2  # of NumPy; torch has what is read
    assert max(sizes) <= inputs.EMBEDDED


@pytest.mark.parametrize("short", BOTH)
def test_pretraining_that_diverges_at_each_rate_is_an_error(short):
    model = short(lr=0.002, callbacks=[spoil_high_rates(0)])
    with pytest.raises(ValueError, match=r"pretraining.*lr=0\.002 and down to 2.*e-05"):
        model.fit(digit_vectors(200)[0])
    assert not hasattr(model, "labels_")
