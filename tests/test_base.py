"""What both estimators share: kinds of X, fitted methods, warm start, callbacks."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback, EarlyStopping, LRScheduler
from torch import nn

from deepdensity import inputs

from .common import (
    BOTH,
    N_CLUSTERS,
    colour_images,
    decs,
    digit_images,
    digit_vectors,
    idcl,
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
        seen.append((self.X.dtype, np.shares_memory(self.X, images)))
        return read(self, rows, dtype)

    monkeypatch.setattr(inputs.Source, "read", spy)
    short(autoencoder=small_conv).fit(images).predict(images)
    assert set(seen) == {(np.dtype(np.uint8), True)}


@pytest.mark.parametrize("short", BOTH)
def test_CSR_is_made_dense_a_batch_at_a_time(short, monkeypatch):
    X = sparse.csr_array(digit_vectors(300)[0])
    rows = []
    toarray = sparse.csr_array.toarray
    monkeypatch.setattr(
        sparse.csr_array,
        "toarray",
        lambda self, *args: (rows.append(self.shape[0]), toarray(self, *args))[1],
    )
    short(batch_size=32).fit(X)
    assert rows and max(rows) <= inputs.BLOCK // 2
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
    assert_allclose(short().fit_transform(X), model.transform(X), rtol=1e-12)
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
    history = idcl(callbacks=[("rates", rates)]).fit(X).history_
    assert_allclose(history[:8, "event_lr"], 1e-3 * 0.5 ** np.arange(8))


@pytest.mark.parametrize("short", BOTH)
def test_silent_unless_verbose(short, capfd):
    X, _ = digit_vectors(150)
    short().fit(X)
    assert capfd.readouterr() == ("", "")
    short(verbose=1).fit(X)
    out, err = capfd.readouterr()
    assert out == ""
    assert "pretrain" in err and "cluster" in err and "loss=" in err


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
@pytest.mark.parametrize("augment", [False, True, lambda x, g: x.flip(3)])
def test_augmentation_can_be_switched_off_or_replaced(short, augment):
    images, _ = digit_images(150)
    usual = short(autoencoder=small_conv).fit(images)
    other = short(autoencoder=small_conv, augment=augment).fit(images)
    same = np.array_equal(usual.embedding_, other.embedding_)
    assert same == (augment is True)


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
