"""DECS for a grid of alpha and lambda (Fig. 4 of its paper).

python -m benchmarks.papers.decs_grid --data-home FOLDER

The paper has USPS, MNIST and Fashion; the values on its axes are not in its text, so
that these are ours. The recipe is the default one without the guard, which would put
what alpha and lambda have spoiled back to the start. The cells of a set and seed share
one pretrained autoencoder and one start, which do not depend on alpha and lambda: by
`memory`, a temporary one where --memory names none.
"""

import sys
import tempfile

from .methods import METHODS
from .runner import Table, main
from .scores import FIELDS, measure

ALPHAS = (0.25, 0.5, 1.0, 2.0, 4.0)
LAMBDAS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def cell(alpha, weight):
    """The name of a cell of the grid."""
    return f"alpha={alpha}, lambda={weight}"


TABLE = Table(
    "decs_grid",
    "DECS by alpha and lambda (Fig. 4 of its paper), default recipe without guard.",
    {
        cell(alpha, weight): METHODS["DECS"].variant(
            alpha=alpha, lambda_var=weight, guard=False
        )
        for alpha in ALPHAS
        for weight in LAMBDAS
    },
    measure,
    FIELDS,
    data=("usps", "mnist", "fashion"),
    most_seeds=1,
)

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(TABLE, ["--memory", folder, *sys.argv[1:]])
