"""The papers' settings are settings of the estimators."""

import pytest

from deepdensity import DECSClustering, IDCLClustering, papers


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


def test_figures_of_the_papers():
    assert papers.DECS["pretrain_epochs"] == 500
    assert papers.DECS["max_iter"] == 10_000
    assert papers.DECS["lambda_var"] == 0.8
    assert papers.IDCL["lambda_0"] == 0.6
    assert papers.IDCL["lambda_max"] == 0.95
    assert papers.IDCL["core_fraction"] == 0.05
    assert papers.IDCL["cutoff_quantile"] == 0.02
    assert papers.IDCL["gamma"] == 0.1
