"""The default recipes less one ingredient each: what earns its place.

python -m benchmarks.papers.recipe_ablation --data-home FOLDER
"""

from .methods import METHODS
from .runner import Table, main
from .scores import FIELDS, measure

# what takes each ingredient out of the default recipe; add to these
INGREDIENTS = {
    "IDCL": {
        "augmentation": {"augment": False},
    },
    "DECS": {
        "augmentation": {"augment": False},
    },
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
    data=("digits", "usps", "r8", "pbmc"),
    most_seeds=3,
)

if __name__ == "__main__":
    main(TABLE)
