"""What fits promise, for parameters and containers of X drawn by chance."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.model_selection import ParameterSampler

from deepdensity import DECSClustering, IDCLClustering, load
from deepdensity.curriculum import PACINGS
from deepdensity.starts import STARTS

from .common import digit_images, small_conv, small_network, small_transformer

SHARED = {
    "n_clusters": [2, 3, 5],
    "n_components": [1, 3, 10],
    "autoencoder": [small_network, "mlp", "shallow"],
    "pretrain_epochs": [0, 1, 3],
    "pretrain_target": ["clean", "augmented"],
    "batch_size": ["auto", 2, 64, 1000],
    "lr": [1e-4, 2e-3, 1e-2],
    "schedule": ["constant", "one-cycle"],
    "augment": ["auto", False, True],
    "refresh_interval": ["auto", 1, 3],
    "tol": [0.0, 1e-3, 0.5],
    "init": sorted(STARTS),  # not "auto", whose trials take longer than all else here
    "n_init": [1, 3],
    "kernel_scale": ["auto", 0.01, 5.0],
    "guard": [False, True],
    "precision": ["auto", "float32", "bfloat16"],
    "random_state": [0, 1, 2],
}
OWN = {
    DECSClustering: {
        "alpha": [0.1, 1.0, 2.0],
        "lambda_var": [0.0, 0.8, 3.0],
        "determinacy": ["quadratic", "linear"],
        "max_iter": [0, 1, 5, 20],
        "balance": ["auto", 0.0, 1.0],
        "reconstruction_weight": [0.0, 1.0],
    },
    IDCLClustering: {
        "pacing": sorted(PACINGS),
        "pacing_epochs": [None, 1, 5],
        "lambda_0": [0.1, 0.9],
        "lambda_max": [0.95, 1.0],
        "core_fraction": [None, 0.01, 0.5, 1.0],
        "cutoff_quantile": [0.001, 0.02, 1.0],
        "density_kernel": ["gaussian", "cutoff"],
        "density": ["auto", "exact", "sampled"],
        "gamma": ["auto", 0.0, 5.0],
        "max_epochs": [0, 1, 4],
    },
}
IMAGE_NETWORKS = [small_conv, small_transformer, "conv16"]
AS_IMAGES = {
    "float64": lambda images: images,
    "bytes": lambda images: images.astype(np.uint8),
    "colours": lambda images: np.stack([images] * 3, axis=-1),
    "channels first": lambda images: np.stack([images] * 3, axis=1),
    "list": lambda images: images.tolist(),
    "tensor": torch.tensor,
}
AS_VECTORS = {
    "float32": lambda images: flat(images).astype(np.float32),
    "float16": lambda images: flat(images).astype(np.float16),
    "by columns": lambda images: np.asfortranarray(flat(images)),
    "bool": lambda images: flat(images) > 8,
    "list": lambda images: flat(images).tolist(),
    "tensor": lambda images: torch.tensor(flat(images)),
    "frame": lambda images: pd.DataFrame(flat(images)).add_prefix("pixel "),
    "csr": lambda images: sparse.csr_array(flat(images)),
    "csc": lambda images: sparse.csc_array(flat(images)),
}


def flat(images):
    return images.reshape(len(images), -1)


def draw(seed):
    """An estimator and its samples, by chance."""
    random = np.random.RandomState(seed)
    kind = random.choice([DECSClustering, IDCLClustering])
    containers = random.choice([AS_IMAGES, AS_VECTORS])
    container = containers[random.choice(list(containers))]
    # at least ten a cluster: with fewer k-means takes the place of the other starts
    X = container(digit_images(random.choice([50, 150]))[0])
    choices = {**SHARED, **OWN[kind]}
    if containers is AS_IMAGES:
        choices["autoencoder"] = [*SHARED["autoencoder"], *IMAGE_NETWORKS]
    [parameters] = ParameterSampler(choices, 1, random_state=random)
    return kind(**parameters), X


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", range(40))
def test_fitted_estimators_agree_with_themselves(seed, tmp_path):
    model, X = draw(seed)
    labels = model.fit_predict(X)
    assert labels.shape == (len(model.embedding_),)
    assert set(labels) <= set(range(model.n_clusters))
    np.testing.assert_array_equal(model.predict(X), labels)
    Z = np.asarray(model.transform(X))
    np.testing.assert_allclose(Z, model.embedding_, rtol=1e-3, atol=1e-4)
    dense = X.toarray() if sparse.issparse(X) else X
    q = model.predict_proba(dense)
    np.testing.assert_allclose(q.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(q.argmax(axis=1), labels)
    for values in (Z, model.score_samples(X), model.inverse_transform(Z)):
        assert np.isfinite(values).all()
    model.save(tmp_path / "model")
    own = model.autoencoder if callable(model.autoencoder) else None
    again = load(tmp_path / "model", autoencoder=own)
    np.testing.assert_array_equal(again.predict(X), labels)
