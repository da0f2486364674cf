"""The papers' own settings, in one place: ``IDCLClustering(10, **papers.IDCL)``.

Where a paper is silent or contradicts itself a comment says what was chosen. Of IDCL
the text at hand has lost the formulas and most symbols: what stands for them is a
reconstruction (``doc/user_guide.rst``).

What parameters cannot set, and what differs from the texts:

- DECS's encoder halves three times, by 2 x 2 max-pooling, as its authors' code does
  (the text has four convolutions of stride 2 with max-pooling after each), and differs
  from that code in other things (:class:`~deepdensity.networks.ConvAutoencoder`).
- Augmentation turns and shifts. DECS's text names cropping, too, which its code does
  not do; what comes in from outside is zero here, and repeats the edge there.
- The Transformer blocks of IDCL are pre-norm ones of width 64
  (:class:`~deepdensity.networks.TransformerAutoencoder`). They take images alone; for
  texts, of which IDCL's paper has a set, another ``autoencoder`` has to be given, as
  ``LINEAR_BLOCK``. The text does not say what it took there.
- Of more than 20,000 samples k-means sees a random 20,000 (100 a cluster, if that is
  more), and the others go to the nearest centre.
- The cut-off distance of IDCL's Eq. 1 is that of random pairs where there are more than
  four million (:func:`~deepdensity.density.cutoff_distance`).
- Batches are of even size.
"""

import functools

from .networks import MLPAutoencoder

__all__ = ["DECS", "DECS_CODE", "IDCL", "IDCL_ABLATIONS", "LINEAR_BLOCK"]

# what both settings share, and this package's own recipe has in another way
PLAIN = {
    "pretrain_target": "augmented",  # DECS, Eq. 2; IDCL does not say which image
    "schedule": "constant",
    "augment": "affine",
    "init": "k-means",  # DECS's; IDCL does not say
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
    "gamma": 0.1,  # its symbol is lost: of the clustering loss, as in IDEC
    "refresh_interval": 1,  # every epoch
}

#: The linear block of IDCL's encoder, without the Transformer before it.
LINEAR_BLOCK = functools.partial(MLPAutoencoder, hidden=(512, 512, 3072))

#: Zheng et al. 2024, Table 4: what each degraded model changes. The paper speaks of
#: five and names Model-1 to Model-4: the fifth row has all parts, and its name is lost
IDCL_ABLATIONS = {
    "no curriculum": {"pacing": "none"},
    "no density core": {"core_fraction": None},
    "no Transformer": {"autoencoder": LINEAR_BLOCK},
    "none of the three": {
        "pacing": "none",
        "core_fraction": None,
        "autoencoder": LINEAR_BLOCK,
    },
}

#: Cheng et al. 2024, Section 4.4. Adam trains both phases: Section 3.4 has stochastic
#: gradient descent with momentum for the second, without a rate
DECS = {
    **PLAIN,
    "n_components": 10,  # not in the text
    "autoencoder": "conv",
    "pretrain_epochs": 500,
    "max_iter": 10_000,
    # labels are looked at, which changes nothing; each interval draws its batches anew,
    # so that of more than 25,600 samples no pass is completed
    "refresh_interval": 100,
    "batch_size": 256,  # that of the pretraining is not in the text
    "lr": 1e-3,  # of Keras, whose Adam has an epsilon of 1e-7; torch's is 1e-8
    "alpha": 1.0,  # "for simplicity" in Section 3.4
    "lambda_var": 0.8,
    "determinacy": "quadratic",
    "balance": 0.0,
    "reconstruction_weight": 0.0,
}

#: The published code of Cheng et al., as far as parameters reach: its loss has the
#: variance of the stability over a batch as well
DECS_CODE = {
    **DECS,
    "alpha": 0.5,
    "lambda_var": 0.4,
    "determinacy": "linear",
    "max_iter": 20_000,
}
