"""The papers' settings are settings of the estimators, without its own recipe."""

import pytest
from torch import nn

from deepdensity import DECSClustering, IDCLClustering, papers
from deepdensity.augmentation import random_affine
from deepdensity.training.schedules import ScheduledRate

from .common import Nets, digit_images, digit_vectors


@pytest.mark.parametrize(
    ("estimator", "settings"),
    [
        (IDCLClustering, papers.IDCL),
        (DECSClustering, papers.DECS),
        (DECSClustering, papers.DECS_CODE),
        *((IDCLClustering, change) for change in papers.IDCL_ABLATIONS.values()),
    ],
)
def test_settings_are_valid_parameters(estimator, settings):
    estimator(10, **settings)._validate_params()


def test_without_the_transformer_the_linear_block_is_left():
    network = papers.IDCL_ABLATIONS["no Transformer"]["autoencoder"]((1, 8, 8), 10)
    layers = [m for m in network.encoder.modules() if isinstance(m, nn.Linear)]
    widths = [layer.out_features for layer in layers]
    assert [layers[0].in_features, *widths] == [64, 512, 512, 3072, 10]


def test_figures_of_the_papers():
    assert papers.DECS["pretrain_epochs"] == 500
    assert papers.DECS["max_iter"] == 10_000
    assert papers.DECS["lambda_var"] == 0.8
    assert papers.IDCL["lambda_0"] == 0.6
    assert papers.IDCL["lambda_max"] == 0.95
    assert papers.IDCL["core_fraction"] == 0.05
    assert papers.IDCL["cutoff_quantile"] == 0.02
    assert papers.IDCL["gamma"] == 0.1


# what the recipe adds to both papers, and the value that takes it away
WITHOUT = {
    "pretrain_target": "augmented",
    "schedule": "constant",
    "augment": "affine",
    "init": "k-means",
    "kernel_scale": 1.0,
    "guard": False,
    "precision": "float32",
    "compile": False,
    "tol": 0,
}
WITHOUT_DECS = {**WITHOUT, "balance": 0, "reconstruction_weight": 0}
SETTINGS = [
    (IDCLClustering, papers.IDCL, WITHOUT),
    (DECSClustering, papers.DECS, WITHOUT_DECS),
    (DECSClustering, papers.DECS_CODE, WITHOUT_DECS),
]


@pytest.mark.parametrize(("estimator", "settings", "without"), SETTINGS)
def test_every_ingredient_of_the_recipe_is_switched_off(estimator, settings, without):
    given = estimator(10, **settings).get_params()
    assert {name: given[name] for name in without} == without
    auto = {name for name, value in given.items() if value == "auto"}
    assert auto == {"device"}


@pytest.mark.parametrize(("estimator", "settings", "without"), SETTINGS)
@pytest.mark.parametrize("image", [True, False])
def test_training_by_the_papers_has_none_of_the_recipe(
    estimator, settings, without, image
):
    nets = Nets()
    limit = "max_epochs" if estimator is IDCLClustering else "max_iter"
    model = estimator(10, **settings).set_params(
        **{"pretrain_epochs": 1, "callbacks": [nets], "random_state": 0, limit: 1}
    )
    if not image:
        model.set_params(autoencoder="mlp")
    model.fit((digit_images if image else digit_vectors)(120)[0])
    assert model.start_scores_ == {}
    assert model.kernel_scale_ == 1
    for phase in ("pretrain", "cluster"):
        net = nets.seen[phase]
        assert net.lr == settings["lr"]
        assert net.batch_size == 256
        assert not net.bfloat16
        assert not any(isinstance(c, ScheduledRate) for _, c in net.callbacks_)
        views = net.iterator_train__views
        if image:
            assert views.augment is random_affine and not views.clean
        else:
            assert views is None
    loss = nets.seen["cluster"].criterion_
    assert loss.scale == 1
    if estimator is IDCLClustering:
        assert loss.gamma == 0.1
    else:
        assert loss.balance == loss.reconstruction == 0
        assert not loss.reconstructs
