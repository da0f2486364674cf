"""ACC, NMI, loss and size of the curriculum in training (Fig. 3 of IDCL's paper).

python -m benchmarks.papers.curves --data-home FOLDER

The paper has MNIST-test. A row is a refresh of the labels; an epoch of DECS is one
`refresh_interval`.
"""

from .methods import METHODS
from .runner import Table, main
from .trace import FIELDS, measure

NAMES = ("IDCL", "DECS", "IDCL paper")

TABLE = Table(
    "curves",
    "The course of training (Fig. 3 of IDCL's paper).",
    {name: METHODS[name] for name in NAMES},
    measure,
    FIELDS,
    data=("digits", "usps", "mnist_test"),
    most_seeds=1,
)

if __name__ == "__main__":
    main(TABLE)
