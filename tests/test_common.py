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
    "pretrain_epochs": 15,
    "max_epochs": 6,
    "refresh_interval": 2,
    "init": "k-means",
    "n_init": 3,
}
SHORT_DECS = {
    "pretrain_epochs": 15,
    "max_iter": 20,
    "refresh_interval": 10,
    "init": "k-means",
    "n_init": 3,
}
small_transformer = functools.partial(
    TransformerAutoencoder, width=16, hidden=(32, 32, 64)
)
small_conv = functools.partial(ConvAutoencoder, channels=(4, 8, 8, 16))

# what else is not as by default beside each start and each pacing
BESIDE_START = {
    "gaussian-mixture": {"determinacy": "linear", "alpha": 0.5},
    "merged-mixture": {"augment": False, "balance": 0.3},
    "scaled-k-means": {"autoencoder": "mlp", "reconstruction_weight": 0.5},
}
BESIDE_PACING = {
    "linear": {"core_fraction": None},
    "none": {"density_kernel": "cutoff", "precision": "bfloat16"},
    "power": {
        "guard": False,
        "kernel_scale": 0.5,
        "gamma": 0.1,
        "schedule": "constant",
    },
}

VARIANTS = [
    IDCLClustering(autoencoder=small_transformer, **ROW, **SHORT_IDCL),
    IDCLClustering(autoencoder=small_conv, **ROW, **SHORT_IDCL),
    DECSClustering(autoencoder=small_conv, **ROW, **SHORT_DECS),
    DECSClustering(autoencoder=small_transformer, **ROW, **SHORT_DECS),
    *(
        DECSClustering(**{**SHORT_DECS, "init": start, **BESIDE_START.get(start, {})})
        for start in sorted(STARTS)
    ),
    *(
        IDCLClustering(
            **{**SHORT_IDCL, "pacing": pacing, **BESIDE_PACING.get(pacing, {})}
        )
        for pacing in sorted(PACINGS)
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
    "estimator", [DECSClustering(**SHORT_DECS), IDCLClustering(**SHORT_IDCL)]
)
def test_checks_that_check_estimator_leaves_out(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, estimator)
