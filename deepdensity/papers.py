"""The papers' own settings, in one place: ``IDCLClustering(10, **papers.IDCL)``.

Where a paper is silent or contradicts itself the comment says what was chosen. Beyond
the parameters two things differ from the authors' code: the DECS encoder halves by
2 x 2 max-pooling (the paper names both a stride of 2 and max-pooling), and batches are
of even size.
"""

__all__ = ["DECS", "DECS_CODE", "IDCL", "IDCL_ABLATIONS"]

# what neither paper has: of this package's own recipe
PLAIN = {
    "pretrain_target": "augmented",
    "schedule": "constant",
    "augment": "affine",
    "init": "k-means",
    "kernel_scale": 1.0,
    "guard": False,
    "tol": 0,  # all epochs, all iterations
}

#: Zheng et al. 2024, Section 4, "Experimental Setup"
IDCL = {
    **PLAIN,
    "n_components": 10,
    "autoencoder": "transformer",
    "pretrain_epochs": 100,
    "max_epochs": 200,
    "batch_size": 256,
    "lr": 0.01,
    "pacing": "exponential",
    "pacing_epochs": None,  # T is not in the text: half of the epochs
    "lambda_0": 0.6,
    "lambda_max": 0.95,
    "core_fraction": 0.05,
    "cutoff_quantile": 0.02,
    "density_kernel": "gaussian",  # the cited density-peaks paper has two
    "density": "exact",
    "gamma": 0.1,
    "refresh_interval": 1,  # every epoch
}

#: Zheng et al. 2024, Table 4: what each degraded model changes
IDCL_ABLATIONS = {
    "no curriculum": {"pacing": "none"},
    "no density core": {"core_fraction": None},
    "no Transformer": {"autoencoder": "mlp"},
    "none of the three": {
        "pacing": "none",
        "core_fraction": None,
        "autoencoder": "mlp",
    },
}

#: Cheng et al. 2024, Section 4.4
DECS = {
    **PLAIN,
    "n_components": 10,
    "autoencoder": "conv",
    "pretrain_epochs": 500,
    "max_iter": 10_000,
    "refresh_interval": 100,  # looks at the labels, which change nothing
    "batch_size": 256,
    "lr": 1e-3,
    "alpha": 1.0,
    "lambda_var": 0.8,
    "determinacy": "quadratic",
    "balance": 0.0,
    "reconstruction_weight": 0.0,
}

#: The published code of Cheng et al., as far as parameters reach
DECS_CODE = {
    **DECS,
    "alpha": 0.5,
    "lambda_var": 0.4,
    "determinacy": "linear",
    "max_iter": 20_000,
}
