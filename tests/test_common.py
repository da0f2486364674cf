"""Every check of scikit-learn, on default and on varied estimators: none is skipped."""

import functools

import pytest
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

from deepdensity import DECSClustering, IDCLClustering
from deepdensity.curriculum import PACINGS
from deepdensity.networks import ConvAutoencoder, TransformerAutoencoder
from deepdensity.starts import STARTS

# the checks feed 1 to 10 features: images of one row, as wide as they come
ROW = {"image_shape": (1, -1), "augment": False}
SHORT_IDCL = {
    "pretrain_epochs": 10,
    "max_epochs": 4,
    "refresh_interval": 2,
    "n_init": 3,
}
SHORT_DECS = {
    "pretrain_epochs": 10,
    "max_iter": 10,
    "refresh_interval": 5,
    "n_init": 3,
}
small_transformer = functools.partial(
    TransformerAutoencoder, width=16, hidden=(32, 32, 64)
)
small_conv = functools.partial(ConvAutoencoder, channels=(4, 8, 8, 16))

# every start, every pacing and each kind of network once, other settings among them
VARIANTS = [
    DECSClustering(
        autoencoder=small_conv, init="spectral", alpha=0.5, **ROW, **SHORT_DECS
    ),
    DECSClustering(
        autoencoder=small_transformer, init="view-mixture", **ROW, **SHORT_DECS
    ),
    DECSClustering(init="gaussian-mixture", determinacy="linear", **SHORT_DECS),
    DECSClustering(init="merged-mixture", augment=False, balance=0.3, **SHORT_DECS),
    IDCLClustering(
        autoencoder=small_conv,
        init="k-means",
        pacing="linear",
        core_fraction=None,
        **ROW,
        **SHORT_IDCL,
    ),
    IDCLClustering(
        autoencoder=small_transformer,
        init="k-means",
        pacing="exponential",
        **ROW,
        **SHORT_IDCL,
    ),
    IDCLClustering(
        autoencoder="mlp",
        init="scaled-k-means",
        pacing="none",
        density_kernel="cutoff",
        precision="bfloat16",
        **SHORT_IDCL,
    ),
    IDCLClustering(
        init="k-means",
        pacing="power",
        guard=False,
        kernel_scale=0.5,
        gamma=0.1,
        schedule="constant",
        **SHORT_IDCL,
    ),
]

# not in check_estimator: called by hand
EXTRA_CHECKS = [
    "check_dataframe_column_names_consistency",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]


def test_variants_have_every_start_and_every_pacing():
    assert {variant.init for variant in VARIANTS} == set(STARTS)
    pacings = {v.pacing for v in VARIANTS if isinstance(v, IDCLClustering)}
    assert pacings == set(PACINGS)


@pytest.mark.parametrize("estimator", [DECSClustering(), IDCLClustering()])
def test_default_estimators_pass_every_check_of_scikit_learn(estimator):
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    assert len(results) >= 50
    assert [r for r in results if r["status"] != "passed"] == []


@parametrize_with_checks(VARIANTS)
def test_variants_pass_every_check_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("check", EXTRA_CHECKS)
@pytest.mark.parametrize(
    "estimator",
    [
        DECSClustering(init="k-means", **SHORT_DECS),
        IDCLClustering(init="k-means", **SHORT_IDCL),
    ],
)
def test_checks_that_check_estimator_leaves_out(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, estimator)
