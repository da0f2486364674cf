"""save and load: all of a fitted model comes back, and runs no code on the way."""

import copy
import functools
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from skorch.history import History
from torch import nn

import deepdensity
from deepdensity import DECSClustering, IDCLClustering
from deepdensity.augmentation import random_affine
from deepdensity.curriculum import Curriculum, linear_pacing
from deepdensity.networks import MLPAutoencoder
from deepdensity.persistence.state_file import read_state, write_state

from . import common
from .common import BatchSizes, colour_images, digit_vectors, small_conv

# networks that a file can name: others are to be given again
idcl = functools.partial(common.idcl, autoencoder="auto")
decs = functools.partial(common.decs, autoencoder="auto")
BOTH = [idcl, decs]
X, _ = digit_vectors(150)
METHODS = ("predict", "predict_proba", "transform", "score_samples", "score")

pytestmark = pytest.mark.filterwarnings(
    # of a model so short that clusters may stay empty
    "ignore::sklearn.exceptions.ConvergenceWarning"
)


class TiedAutoencoder(torch.nn.Module):
    """With a layer under two names and a buffer of whole numbers."""

    def __init__(self, input_shape, n_components):
        super().__init__()
        self.linear = torch.nn.Linear(input_shape[0], n_components)
        self.back = torch.nn.Linear(n_components, input_shape[0])
        self.again = self.back  # two names of the same tensors
        self.register_buffer("calls", torch.tensor(3))

    def encode(self, x):
        return self.linear(x)

    def decode(self, z):
        return self.again(z)


def small_network(input_shape, n_components):
    return MLPAutoencoder(input_shape, n_components, hidden=(8,))


def other_network(input_shape, n_components):
    return MLPAutoencoder(input_shape, n_components, hidden=(9,))


def saved(model, path, **more):
    model.save(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return deepdensity.load(path, **more)


def assert_same(value, other, name=""):
    """Equal to the bit, with all that is in it."""
    assert type(value) is type(other), name
    if isinstance(value, np.ndarray):
        assert value.dtype == other.dtype and value.shape == other.shape, name
        assert_array_equal(value, other, err_msg=name)
    elif isinstance(value, torch.nn.Module):
        assert_same(dict(value.state_dict()), dict(other.state_dict()), name)
    elif isinstance(value, torch.Tensor):
        assert torch.equal(value, other), name
    elif isinstance(value, dict):
        assert value.keys() == other.keys(), name
        for key in value:
            assert_same(value[key], other[key], f"{name}.{key}")
    elif isinstance(value, Curriculum):
        assert_same(vars(value)["_bits"], vars(other)["_bits"], name)
        assert value.fractions == other.fractions, name
    elif isinstance(value, (tuple, list)) and not isinstance(value, History):
        assert len(value) == len(other), name
        for i, (item, other_item) in enumerate(zip(value, other)):
            assert_same(item, other_item, f"{name}.{i}")
    else:
        assert value == other, name


def assert_same_model(model, loaded, X):
    assert_same(vars(model), vars(loaded))
    for method in METHODS:
        assert_same(getattr(model, method)(X), getattr(loaded, method)(X), method)
    Z = model.embedding_
    assert_same(model.inverse_transform(Z), loaded.inverse_transform(Z))


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize(
    ("autoencoder", "image_shape"),
    [
        ("auto", None),
        ("auto", (8, 8)),
        ("mlp", None),
        ("shallow", None),
        ("transformer", (8, 8)),
    ],
)
def test_all_of_a_fitted_model_comes_back(short, autoencoder, image_shape, tmp_path):
    model = short(
        autoencoder=autoencoder,
        image_shape=image_shape,
        pretrain_epochs=2,
        **({"max_epochs": 2} if short is idcl else {"max_iter": 4}),
    ).fit(X)
    loaded = saved(model, tmp_path / "model.safetensors")
    assert_same_model(model, loaded, X)
    assert clone(loaded).get_params() == model.get_params()
    assert loaded.history_[:, "train_loss"] == model.history_[:, "train_loss"]


@pytest.mark.parametrize("short", BOTH)
def test_a_warm_start_goes_on_from_it_as_from_the_model(short, tmp_path):
    model = short(warm_start=True).fit(X)
    loaded = saved(model, tmp_path / "model")
    assert_same(model.fit(X).embedding_, loaded.fit(X).embedding_)
    assert len(model.history_) == len(loaded.history_)


@pytest.mark.parametrize("short", BOTH)
def test_a_stream_goes_on_from_it_as_from_the_model(short, tmp_path):
    model = short().fit(X).partial_fit(X[:60])
    loaded = saved(model, tmp_path / "model")
    assert_same_model(model, loaded, X)
    for each in (model, loaded):
        each.partial_fit(X[60:])
    assert_same(model.embedding_, loaded.embedding_)
    assert_same(model.predict_proba(X), loaded.predict_proba(X))


@pytest.mark.parametrize("short", BOTH)
def test_kinds_of_X(short, tmp_path):
    np.save(tmp_path / "X.npy", X)
    images, _ = colour_images()
    names = [f"pixel {i}" for i in range(64)]
    for data in (
        sparse.csr_array(X),
        np.load(tmp_path / "X.npy", mmap_mode="r"),
        pd.DataFrame(X, columns=names),
        X.astype(np.float32),
    ):
        model = short().fit(data)
        loaded = saved(model, tmp_path / "model")
        assert_same(model.predict(data), loaded.predict(data))
        assert_same(vars(model), vars(loaded))
    model = short(autoencoder=small_conv).fit(images)
    loaded = saved(model, tmp_path / "model", autoencoder=small_conv)
    assert_same_model(model, loaded, images)


@pytest.mark.parametrize(
    "model",
    [
        idcl(random_state=np.random.RandomState(3), density="sampled", device="cpu"),
        decs(n_init=np.int64(2), lr=np.float32(0.001), device=torch.device("cpu")),
        idcl(core_fraction=None, max_epochs=0),
    ],
)
def test_kinds_of_parameters(model, tmp_path):
    loaded = saved(model.set_output(transform="pandas").fit(X), tmp_path / "model")
    parameters, expected = loaded.get_params(), model.get_params()
    for each in (parameters, expected):  # RandomStates have no ==
        if isinstance(each["random_state"], np.random.RandomState):
            each["random_state"] = each["random_state"].get_state(legacy=False)
    assert_same(parameters["random_state"], expected["random_state"])
    parameters.pop("random_state"), expected.pop("random_state")
    assert parameters == expected
    assert not any(isinstance(value, np.ndarray) for value in parameters.values())
    pd.testing.assert_frame_equal(loaded.transform(X), model.transform(X))


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize(
    ("own", "given"),
    [
        (TiedAutoencoder, TiedAutoencoder),
        (small_network, small_network),
        (TiedAutoencoder((64,), 10), TiedAutoencoder((64,), 10)),
    ],
)
def test_a_network_of_ones_own_must_be_given(short, own, given, tmp_path):
    model = short(autoencoder=own).fit(X)
    loaded = saved(model, tmp_path / "model", autoencoder=given)
    assert loaded.autoencoder is given
    for method in METHODS:
        assert_same(getattr(model, method)(X), getattr(loaded, method)(X))
    name = type(model.module_).__name__
    with pytest.raises(ValueError, match=rf"of your own, a {name}: give that"):
        deepdensity.load(tmp_path / "model")
    for other, called in ((other_network, "other_network"), ("mlp", "mlp")):
        with pytest.raises(
            ValueError, match=f"weights in it are not those of {called}"
        ):
            deepdensity.load(tmp_path / "model", autoencoder=other)


def test_the_network_is_that_of_the_fit_whatever_the_parameter_says_now(tmp_path):
    model = idcl(autoencoder=small_network).fit(X).set_params(autoencoder="mlp")
    loaded = saved(model, tmp_path / "model", autoencoder=small_network)
    assert loaded.autoencoder == "mlp"
    assert_same_model(model, loaded, X)
    model = idcl().fit(X).set_params(n_components=3, n_clusters=4)
    assert_same_model(model, saved(model, tmp_path / "model"), X)
    with pytest.raises(ValueError, match="its network is 'mlp', which needs none"):
        deepdensity.load(tmp_path / "model", autoencoder=small_network)


def test_what_is_not_stored_is_given_or_warned_of(tmp_path):
    path = tmp_path / "model"
    own = {
        "augment": random_affine,
        "pacing": linear_pacing,
        "callbacks": [BatchSizes()],
    }
    model = idcl(autoencoder="mlp", image_shape=(8, 8), **own).fit(X)
    loaded = saved(model, path, **own)
    assert loaded.get_params() == model.get_params()
    assert_same(model.predict_proba(X), loaded.predict_proba(X))
    with pytest.warns(UserWarning) as caught:
        loaded = deepdensity.load(path)
    assert {warning.filename for warning in caught} == {__file__}
    messages = " ".join(str(warning.message) for warning in caught)
    for name, value in {"augment": "auto", "pacing": "exponential"}.items():
        assert f"{name}={own[name].__name__} is not in the file" in messages
        assert f"{name}={value!r} stands in its place" in messages
        assert getattr(loaded, name) == value
    assert loaded.callbacks is None
    with pytest.raises(ValueError, match="lr is not among the parameters to give"):
        deepdensity.load(path, lr=0.1, **own)


def test_labels_from_a_table_are_stored_as_an_array(tmp_path):
    labels = pd.Series(idcl().fit(X).labels_, index=np.arange(len(X))[::-1])
    model = decs(init=labels).fit(X)
    loaded = saved(model, tmp_path / "model")
    assert_same(loaded.init, labels.to_numpy())
    assert_same(model.predict_proba(X), loaded.predict_proba(X))
    assert model.init is labels


def test_save_refuses(tmp_path):
    with pytest.raises(NotFittedError):
        idcl().save(tmp_path / "model")
    model = idcl().fit(X)
    model.save(tmp_path / "model")
    before = (tmp_path / "model").read_bytes()
    model.note_ = object()
    with pytest.raises(TypeError, match="note_ is a object, which cannot be stored"):
        model.save(tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == before
    with pytest.raises(FileNotFoundError):
        idcl().fit(X).save(tmp_path / "no folder" / "model")


def test_each_class_reads_its_own_files(tmp_path):
    for short in BOTH:
        model = short().fit(X)
        model.save(tmp_path / "model")
        assert type(deepdensity.load(tmp_path / "model")) is type(model)
        assert type(type(model).load(tmp_path / "model")) is type(model)
    with pytest.raises(ValueError, match="holds a DECSClustering, not IDCLClustering"):
        IDCLClustering.load(tmp_path / "model")


def change(path, edit):
    """Rewrites a file with its content changed, and the right checksum."""
    content, tensors = read_state(path)
    edit(content, tensors)
    write_state(path, content, tensors)


def drop_tensor(part):
    def edit(content, tensors):
        del tensors[next(name for name in tensors if part in name)]

    return edit


def shorten_tensor(part):
    def edit(content, tensors):
        name = next(name for name in tensors if part in name)
        tensors[name] = tensors[name][1:].clone()

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (drop_tensor(":labels_"), "tensor '[0-9]+:labels_' is missing"),
        (drop_tensor("module_."), "weights in it are not those of mlp: .*Missing key"),
        (shorten_tensor("module_."), "weights in it .*size mismatch"),
        (shorten_tensor(":embedding_"), r"embedding_ has the shape \(149, 10\)"),
        (shorten_tensor(":cluster_centers_"), r"it must be \(10, 10\)"),
        (lambda c, t: c.pop("parameters"), "incomplete or malformed: KeyError"),
        (lambda c, t: c["fitted"].pop("stability_"), "incomplete or malformed.*stabi"),
        (
            lambda c, t: c["fitted"].update(predict=1),
            "'predict' is no fitted attribute",
        ),
        (lambda c, t: c["fitted"].update(_network="eval"), "unknown network 'eval'"),
        (lambda c, t: c["parameters"].update(speed=2), "has no parameter speed"),
        (lambda c, t: c["fitted"]["_device"].update(of="abacus"), "malformed: Runtime"),
        (lambda c, t: c.update({"class": "os.system"}), "holds a os.system, not"),
    ],
)
def test_a_file_that_does_not_fit_together(edit, message, tmp_path):
    path = tmp_path / "model"
    decs().fit(X).save(path)
    change(path, edit)
    with pytest.raises(ValueError, match=f"(?s){path.name}.*{message}"):
        DECSClustering.load(path)


def test_a_parameter_that_came_later_has_its_default(tmp_path):
    path = tmp_path / "model"
    model = decs(tol=0.5).fit(X)
    model.save(path)
    change(path, lambda content, tensors: content["parameters"].pop("tol"))
    loaded = deepdensity.load(path)
    assert loaded.tol == DECSClustering().tol
    assert_array_equal(loaded.predict(X), model.labels_)


def test_a_device_that_is_not_there(tmp_path):
    path = tmp_path / "model"
    model = decs().fit(X)
    model._device = torch.device("cuda:99")  # as if fitted there
    model.device = "cuda:99"
    model.save(path)
    loaded = deepdensity.load(path)
    assert (loaded._device, loaded.device) == (torch.device("cpu"), "cuda:99")
    assert_array_equal(loaded.predict(X), model.labels_)
    assert deepdensity.load(path, device="cpu")._device == torch.device("cpu")
    with pytest.raises(ValueError, match="device='cuda:98' is not there"):
        deepdensity.load(path, device="cuda:98")


class FarAway(torch.nn.Module):
    """A network that is on a GPU, as far as it tells, until it is sent to the CPU."""

    def __init__(self):
        super().__init__()
        self.register_buffer("weight", torch.zeros(2, device="meta"))

    def cpu(self):
        self.weight = torch.ones(2)
        return self


def test_a_pickle_of_a_gpu_needs_none():
    model = decs().fit(X)
    model._device = torch.device("cuda:99")  # as if fitted there
    for loaded in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert loaded._device == torch.device("cpu")
        assert_array_equal(loaded.predict(X), model.labels_)
    assert model._device == torch.device("cuda:99")
    state = decs(autoencoder=FarAway()).__getstate__()
    assert state["autoencoder"].weight.device == torch.device("cpu")
    assert_same(pickle.loads(pickle.dumps(decs())).get_params(), decs().get_params())


def test_a_pickle_brings_networks_to_the_cpu_and_leaves_the_model_its_own():
    model = decs().fit(X)
    assert model.__getstate__()["module_"] is model.module_  # is there already
    model.module_ = FarAway()
    assert model.__getstate__()["module_"].weight.device == torch.device("cpu")
    assert model.module_.weight.device == torch.device("meta")


class WithState(nn.Module):
    """A network that has more to keep than its weights."""

    def __init__(self, state):
        super().__init__()
        self.state = state
        self.encode, self.decode = nn.Linear(64, 10), nn.Linear(10, 64)

    def get_extra_state(self):
        return self.state

    def set_extra_state(self, state):
        self.state = state


@pytest.mark.parametrize("state", [{"scale": torch.ones(1)}, np.ones(1), [1.0]])
def test_a_state_of_a_network_that_is_no_tensor_is_refused(tmp_path, state):
    model = common.decs(autoencoder=WithState(state)).fit(X)
    kind = type(state).__name__
    with pytest.raises(TypeError, match=f"'_extra_state', a {kind}; only tensors"):
        model.save(tmp_path / "model")


def test_a_tensor_for_state_of_a_network_is_kept(tmp_path):
    model = common.decs(autoencoder=WithState(torch.tensor([2.0]))).fit(X)
    model.save(tmp_path / "model")
    again = deepdensity.load(tmp_path / "model", autoencoder=WithState(torch.zeros(1)))
    assert torch.equal(again.module_.state, torch.tensor([2.0]))
