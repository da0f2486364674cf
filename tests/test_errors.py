"""Bad input: a message that names what is wrong; what was fitted stays as it was."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from torch import nn

from .common import BOTH, decs, digit_vectors, idcl, small_conv

X, _ = digit_vectors(120)
IMAGES = X.reshape(-1, 8, 8)


class WithoutDecode(nn.Module):
    def encode(self, x):
        return x[:, :10]


class WrongLatentSize(nn.Module):
    def encode(self, x):
        return x[:, :7]

    def decode(self, z):
        return z


class WrongBack(nn.Module):
    def encode(self, x):
        return x[:, :10]

    def decode(self, z):
        return z


class Fixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(5, 10)

    def encode(self, x):
        return self.linear(x)

    decode = encode


def with_one(value):
    bad = X.copy()
    bad[3, 5] = value
    return bad


# parameters of both, X (None is the digits), and what the message must say
BAD_FITS = [
    ({}, with_one(np.nan), "NaN"),
    ({}, with_one(np.inf), "infinity"),
    ({}, X[:7], r"n_samples=7 should be >= n_clusters=10"),
    ({}, X[:0], "0 sample"),
    ({}, X[:, :0], r"0 feature"),
    ({}, X[0], "1D array"),
    ({}, np.zeros((30, 4, 4, 3, 2)), r"5 dimensions.*\(n, h, w, c\)"),
    ({}, np.zeros((30, 4, 9, 3)), r"\(4, 9, 3\).*image_shape"),
    ({}, np.zeros((30, 8, 9, 7)), r"\(8, 9, 7\).*image_shape"),
    ({}, np.array([["a"] * 3] * 20), "could not convert"),
    ({"n_clusters": 0}, None, r"'n_clusters'.*\[1, inf\).*Got 0"),
    ({"n_clusters": 2.5}, None, r"'n_clusters'.*int.*Got 2\.5"),
    ({"n_components": 0}, None, r"'n_components'.*Got 0"),
    ({"image_shape": (8, 9)}, None, r"image_shape=\(8, 9\).*72.*n_features = 64"),
    ({"image_shape": (-1, 9)}, None, r"image_shape=\(-1, 9\).*n_features = 64"),
    ({"image_shape": (-1, -1)}, None, r"image_shape=\(-1, -1\)"),
    ({"image_shape": (64,)}, None, r"image_shape=\(64,\).*\(height, width\)"),
    ({"image_shape": (8.0, 8)}, None, r"image_shape=\(8\.0, 8\).*whole numbers"),
    ({"image_shape": (7, 9)}, IMAGES, r"image_shape=\(7, 9\).*63"),
    ({"image_shape": (4, 16)}, IMAGES, r"image_shape=\(4, 16\).*\(8, 8\)"),
    ({"image_shape": "8x8"}, None, r"'image_shape'.*Got '8x8'"),
    ({"autoencoder": "resnet"}, None, r"'autoencoder'.*'conv'.*Got 'resnet'"),
    ({"autoencoder": "conv"}, None, r"autoencoder='conv' takes images.*image_shape"),
    ({"autoencoder": "transformer"}, None, r"autoencoder='transformer' takes images"),
    ({"autoencoder": WithoutDecode()}, None, r"WithoutDecode has no method 'decode'"),
    ({"autoencoder": nn.Linear}, None, r"Linear'> cannot be called with.*\(64,\)"),
    ({"autoencoder": nn.Linear(64, 10)}, None, r"Linear has no method 'encode'"),
    ({"autoencoder": WrongLatentSize()}, None, r"\(2, 7\).*n_components=10"),
    ({"autoencoder": WrongBack()}, None, r"\(2, 10\).*\(2, 64\)"),
    ({"autoencoder": Fixed()}, None, r"Fixed cannot take a batch of shape \(2, 64\)"),
    ({"pretrain_epochs": -1}, None, r"'pretrain_epochs'.*\[0, inf\).*Got -1"),
    ({"pretrain_epochs": "all"}, None, r"'pretrain_epochs'.*'auto'.*Got 'all'"),
    ({"pretrain_target": "noisy"}, None, r"'pretrain_target'.*'clean'.*Got 'noisy'"),
    ({"batch_size": 1}, None, r"'batch_size'.*\[2, inf\).*Got 1"),
    ({"batch_size": "big"}, None, r"'batch_size'.*'auto'.*Got 'big'"),
    ({"lr": 0}, None, r"'lr'.*\(0.*, inf\).*Got 0"),
    ({"schedule": "cosine"}, None, r"'schedule'.*'one-cycle'.*Got 'cosine'"),
    ({"augment": "flip"}, None, r"'augment'.*'affine'.*Got 'flip'"),
    ({"init": "random"}, None, r"'init'.*'k-means'.*Got 'random'"),
    ({"kernel_scale": 0}, None, r"'kernel_scale'.*\(0.*, inf\).*Got 0"),
    ({"kernel_scale": "wide"}, None, r"'kernel_scale'.*'auto'.*Got 'wide'"),
    ({"guard": "yes"}, None, r"'guard'.*Got 'yes'"),
    ({"precision": "float16"}, None, r"'precision'.*'bfloat16'.*Got 'float16'"),
    ({"compile": "yes"}, None, r"'compile'.*Got 'yes'"),
    ({"n_init": 0}, None, r"'n_init'.*Got 0"),
    ({"refresh_interval": 0}, None, r"'refresh_interval'.*Got 0"),
    ({"tol": -0.1}, None, r"'tol'.*Got -0\.1"),
    ({"device": "abacus"}, None, r"device='abacus'.*'cpu'"),
    ({"device": "cuda:99"}, None, r"device='cuda:99' is not there.*device='auto'"),
    ({"device": 3}, None, r"'device'.*Got 3"),
    ({"callbacks": "print"}, None, r"'callbacks'.*Got 'print'"),
    ({"random_state": "seed"}, None, r"'random_state'.*Got 'seed'"),
]

BAD_IDCL = [
    ({"pacing": "logarithmic"}, r"'pacing'.*'exponential'.*Got 'logarithmic'"),
    ({"pacing": abs}, r"pacing=<built-in.*as f\(epoch, n_epochs, lambda_0\)"),
    ({"pacing": lambda *_: "all"}, r"pacing=<function.*gives no number: .*'all'"),
    ({"pacing_epochs": 0}, r"'pacing_epochs'.*Got 0"),
    ({"lambda_0": 0}, r"'lambda_0'.*\(0.*, 1.*\].*Got 0"),
    ({"lambda_0": 0.9, "lambda_max": 0.8}, r"lambda_0=0\.9.*lambda_max=0\.8"),
    ({"lambda_0": 1.2}, r"'lambda_0'.*Got 1\.2"),
    ({"lambda_max": 1.2}, r"'lambda_max'.*Got 1\.2"),
    ({"core_fraction": 0}, r"'core_fraction'.*\(0.*, 1.*\].*Got 0"),
    ({"core_fraction": 1.1}, r"'core_fraction'.*Got 1\.1"),
    ({"core_fraction": "all"}, r"'core_fraction'.*None.*Got 'all'"),
    ({"cutoff_quantile": 0}, r"'cutoff_quantile'.*Got 0"),
    ({"cutoff_quantile": 2}, r"'cutoff_quantile'.*Got 2"),
    ({"density_kernel": "box"}, r"'density_kernel'.*'cutoff'.*Got 'box'"),
    ({"density": "rough"}, r"'density'.*'sampled'.*Got 'rough'"),
    ({"gamma": -1}, r"'gamma'.*Got -1"),
    ({"gamma": "small"}, r"'gamma'.*'auto'.*Got 'small'"),
    ({"max_epochs": -1}, r"'max_epochs'.*Got -1"),
    ({"max_epochs": "all"}, r"'max_epochs'.*'auto'.*Got 'all'"),
]

BAD_DECS = [
    ({"alpha": 0}, r"'alpha'.*Got 0"),
    ({"lambda_var": -1}, r"'lambda_var'.*Got -1"),
    ({"determinacy": "cubic"}, r"'determinacy'.*'quadratic'.*Got 'cubic'"),
    ({"max_iter": -1}, r"'max_iter'.*Got -1"),
    ({"max_iter": "all"}, r"'max_iter'.*'auto'.*Got 'all'"),
    ({"balance": "even"}, r"'balance'.*'auto'.*Got 'even'"),
    ({"balance": -0.1}, r"'balance'.*\[0.*, inf\).*Got -0\.1"),
    ({"reconstruction_weight": -1}, r"'reconstruction_weight'.*Got -1"),
    ({"reconstruction_weight": "auto"}, r"'reconstruction_weight'.*Got 'auto'"),
]


@pytest.fixture(scope="module")
def fitted():
    return {short: short().fit(X) for short in BOTH}


def assert_fails_and_keeps_the_fit(model, parameters, data, message):
    state = pickle.dumps(vars(model))
    proba = model.predict_proba(X)
    unfitted = clone(model).set_params(**parameters)
    data = X if data is None else data
    message = f"(?s){message}"
    with pytest.raises(ValueError, match=message):
        unfitted.fit(data)
    assert not [name for name in vars(unfitted) if name.endswith("_")]
    before = model.get_params()
    try:
        model.set_params(**parameters)
        with pytest.raises(ValueError, match=message):
            model.fit(data)
    finally:
        model.set_params(**before)
    assert vars(model).keys() == pickle.loads(state).keys()
    assert_array_equal(model.predict_proba(X), proba)


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize(("parameters", "data", "message"), BAD_FITS)
def test_bad_fits_of_both(fitted, short, parameters, data, message):
    assert_fails_and_keeps_the_fit(fitted[short], parameters, data, message)


@pytest.mark.parametrize(("parameters", "message"), BAD_IDCL)
def test_bad_parameters_of_idcl(fitted, parameters, message):
    assert_fails_and_keeps_the_fit(fitted[idcl], parameters, None, message)


@pytest.mark.parametrize(("parameters", "message"), BAD_DECS)
def test_bad_parameters_of_decs(fitted, parameters, message):
    assert_fails_and_keeps_the_fit(fitted[decs], parameters, None, message)


@pytest.mark.parametrize("short", BOTH)
def test_a_fit_that_fails_half_way_keeps_the_fitted_state(fitted, short):
    model = fitted[short]
    proba = model.predict_proba(X)

    class Stumble(Exception):
        pass

    def stumble(x, generator):
        if torch.rand(1, generator=generator) < 0.2:
            raise Stumble
        return x

    with pytest.raises(Stumble):
        model.set_params(augment=stumble).fit(X[:60])
    model.set_params(augment="auto")
    assert len(model.labels_) == len(X)
    assert_array_equal(model.predict_proba(X), proba)


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("method", ["predict", "transform", "score_samples", "score"])
def test_new_data_must_have_the_fitted_shape(fitted, short, method):
    on_vectors = fitted[short]
    with pytest.raises(ValueError, match="X has 60 features, but .* expecting 64"):
        getattr(on_vectors, method)(X[:, :60])
    with pytest.raises(ValueError, match=r"shape \(8, 8\), but .* shape \(64,\)"):
        getattr(on_vectors, method)(IMAGES)
    with pytest.raises(ValueError, match="NaN"):
        getattr(on_vectors, method)(with_one(np.nan))


@pytest.mark.parametrize("short", BOTH)
def test_images_of_another_size(short):
    model = short(autoencoder=small_conv).fit(IMAGES)
    for other in (
        IMAGES[:, :6],
        IMAGES.reshape(-1, 4, 16),
        IMAGES.reshape(-1, 4, 4, 4),
    ):
        with pytest.raises(ValueError, match=r"samples of shape .*\(8, 8\)"):
            model.predict(other)


@pytest.mark.parametrize("short", BOTH)
def test_images_in_other_units_are_told_of(short):
    assert IMAGES.max() == 1
    model = short(autoencoder=small_conv).fit(16 * IMAGES)
    for method in (model.predict, model.transform, model.partial_fit):
        with pytest.warns(UserWarning, match=r"span 1, .* seen 16, .*same units"):
            method(IMAGES)
    with pytest.warns(UserWarning, match="span 255, .* seen 16"):
        model.predict(255 * IMAGES)
    for off in (1000, -1000):
        with pytest.warns(UserWarning, match=f"from {off} on, .* seen 16, from 0 on"):
            model.predict(16 * IMAGES + off)
    on_vectors = short().fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.predict(4 * IMAGES)
        model.predict(IMAGES[:9])  # a few may be dark
        on_vectors.predict(X / 100)  # vectors have no such range


@pytest.mark.parametrize("short", BOTH)
def test_one_channel_is_as_good_as_none(short):
    model = short(autoencoder=small_conv).fit(IMAGES)
    for same in (IMAGES[:, :, :, None], IMAGES[:, None]):
        assert_array_equal(model.predict(same), model.labels_)
        other = short(autoencoder=small_conv).fit(same)
        assert_array_equal(other.predict(IMAGES), other.labels_)


@pytest.mark.parametrize("short", BOTH)
def test_embeddings_of_another_size(fitted, short):
    with pytest.raises(ValueError, match="9 columns.*n_components=10"):
        fitted[short].inverse_transform(np.zeros((3, 9)))


@pytest.mark.parametrize("short", BOTH)
def test_a_warm_start_with_another_number_of_components(fitted, short):
    model = copy.deepcopy(fitted[short]).set_params(warm_start=True, n_components=4)
    with pytest.raises(ValueError, match="with n_components=10, and now it is 4"):
        model.fit(X)


@pytest.mark.parametrize("short", BOTH)
def test_a_warm_start_with_another_network(short):
    model = short(autoencoder="auto", warm_start=True).fit(X)
    for other in ("shallow", small_conv):
        with pytest.raises(ValueError, match="the network 'mlp', and autoencoder is"):
            model.set_params(autoencoder=other).fit(X)
    model.set_params(autoencoder="mlp").fit(X)


@pytest.mark.parametrize("short", BOTH)
def test_anndata_is_sent_to_its_transformer(short):
    class AnnData:
        X, shape, layers, var_names = X, X.shape, {}, list("ab")

    with pytest.raises(TypeError, match="CountsTransformer"):
        short().fit(AnnData())


@pytest.mark.parametrize("short", BOTH)
def test_predict_proba_says_what_to_do_with_sparse_X(fitted, short):
    from scipy import sparse

    with pytest.raises(TypeError, match=r"no sparse X.*toarray.*pipe\[:-1\]"):
        fitted[short].predict_proba(sparse.csr_array(X))


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize(
    ("dtype", "value"), [(np.float64, 1e155), (np.float64, 1e300), (np.float32, 3e38)]
)
def test_new_data_too_far_for_a_finite_embedding(fitted, short, dtype, value):
    model, far = fitted[short], X[:9].astype(dtype)
    far[4] *= value
    for method in ("predict", "transform", "predict_proba", "score_samples", "score"):
        with pytest.raises(ValueError, match=r"1 of its 9 samples, of X\[4\] first"):
            getattr(model, method)(far)
    far[4] = 1e20 * X[4].astype(dtype)
    proba = model.predict_proba(far)
    assert_allclose(proba.sum(1), 1)


@pytest.mark.parametrize("short", BOTH)
def test_one_image_without_the_first_axis(short):
    model = short(autoencoder=small_conv).fit(IMAGES)
    for method in (model.predict, model.transform, model.partial_fit):
        with pytest.raises(
            ValueError, match=r"single image of shape \(8, 8\).*X\[None"
        ):
            method(IMAGES[0])
    assert model.predict(IMAGES[0][None]) == model.labels_[0]


@pytest.mark.parametrize("short", BOTH)
def test_a_warm_start_on_other_units(fitted, short):
    model = short(autoencoder=small_conv, warm_start=True).fit(16 * IMAGES)
    with pytest.warns(UserWarning, match=r"span 1, .* seen 16, .*same units"):
        model.fit(IMAGES)
    model = copy.deepcopy(fitted[short]).set_params(warm_start=True)
    before = vars(model).copy()
    with pytest.raises(ValueError, match="too far from what fit has seen: by its scal"):
        model.fit(1e300 * X)
    assert vars(model) == before


@pytest.mark.parametrize("short", BOTH)
def test_parameters_set_before_a_further_batch_are_checked(fitted, short):
    model = copy.deepcopy(fitted[short])
    with pytest.raises(ValueError, match="The 'lr' parameter .* Got -1 instead"):
        model.set_params(lr=-1).partial_fit(X)
    assert_array_equal(model.predict(X), fitted[short].labels_)
