"""How soon IDCL is at 90 % of its best ACC, with and without its curriculum (Table 3).

python -m benchmarks.papers.idcl_convergence_time --data-home FOLDER

The paper has MNIST, STL-10 and Letters A-J.
"""

from .idcl_ablation import BASES, variants
from .runner import Table, main
from .trace import FIELDS, measure

PART = "no curriculum"

TABLE = Table(
    "idcl_convergence_time",
    "Time to 90 % of the best ACC, with and without the curriculum (Table 3).",
    {
        name: variants(base)[name]
        for base in BASES
        for name in (base, f"{base}, {PART}")
    },
    measure,
    FIELDS,
    data=("digits", "usps", "mnist_test", "mnist", "letters_aj", "stl10"),
    most_seeds=3,
)


if __name__ == "__main__":
    main(TABLE)
