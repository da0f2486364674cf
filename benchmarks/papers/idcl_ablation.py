"""IDCL's ablation (Table 4 of its paper): what each part of it is worth.

python -m benchmarks.papers.idcl_ablation --data-home FOLDER

The paper has MNIST, Digits and YTF.
"""

from deepdensity.papers import IDCL_ABLATIONS

from .methods import METHODS
from .runner import Table, main
from .scores import FIELDS, measure

BASES = ("IDCL", "IDCL paper")


def variants(base):
    """The method itself and, one for each row of the table, without a part.

    The default recipe has no Transformer to be taken out.
    """
    method = METHODS[base]
    without = {
        f"{base}, {part}": method.variant(**settings)
        for part, settings in IDCL_ABLATIONS.items()
        if base != "IDCL" or "autoencoder" not in settings
    }
    return {base: method, **without}


TABLE = Table(
    "idcl_ablation",
    "IDCL without its parts (Table 4 of its paper).",
    {name: method for base in BASES for name, method in variants(base).items()},
    measure,
    FIELDS,
    data=("digits", "usps", "mnist_test", "mnist", "ytf"),
    most_seeds=3,
)

if __name__ == "__main__":
    main(TABLE)
