"""The default recipes less one ingredient each: what earns its place.

python -m benchmarks.papers.recipe_ablation --data-home FOLDER
"""

from .methods import METHODS
from .runner import Table, main
from .scores import FIELDS, measure

# what takes each ingredient out of the default recipe
SHARED = {
    "augmentation or neighbours": {"augment": False},
    "clean target": {"pretrain_target": "augmented"},
    "one-cycle rate": {"schedule": "constant"},
    "small batches": {"batch_size": 256},
    "images of 16 x 16": {"autoencoder": "conv"},  # larger ones are reduced to that
    "shallow network": {"autoencoder": "mlp"},  # one hidden layer for long vectors
    "choice of start": {"init": "k-means"},
    "kernel scale": {"kernel_scale": 1.0},
    "guard": {"guard": False},
}
INGREDIENTS = {
    "IDCL": {
        **SHARED,
        "trained start": {"init": "scaled-k-means"},  # the one of vectors, as chosen
        "relative gamma": {"gamma": 0.1},
        "late curriculum": {"lambda_0": 0.6, "lambda_max": 0.95},
    },
    "DECS": {
        **SHARED,
        "balance": {"balance": 0.0},
    },
}
IMAGES = ("digits", "usps", "gtsrb5", "mnist_test")
VECTORS = ("r8", "pbmc", "kidney")
# where there is nothing to take out
NOT_IN = {
    "clean target": VECTORS,  # nothing is augmented
    "small batches": VECTORS,
    "images of 16 x 16": ("digits", "usps", *VECTORS),
    "shallow network": IMAGES,
    "trained start": IMAGES,  # of trials, which "choice of start" takes out
    "balance": VECTORS,
}


def without(base):
    """The default recipe, and the same without each ingredient."""
    method = METHODS[base]
    variants = {
        f"{base} without {name}": method.variant(**settings)
        for name, settings in INGREDIENTS[base].items()
    }
    return {base: method, **variants}


TABLE = Table(
    "recipe_ablation",
    "The default recipes, and each less one ingredient.",
    {name: method for base in INGREDIENTS for name, method in without(base).items()},
    measure,
    FIELDS,
    data=(*IMAGES, *VECTORS),
    most_seeds=3,
    same={
        f"{base} without {name}": sets
        for base in INGREDIENTS
        for name, sets in NOT_IN.items()
        if name in INGREDIENTS[base]
    },
)

if __name__ == "__main__":
    main(TABLE)
