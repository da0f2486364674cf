"""The main table: all methods on all sets, several seeds.

python -m benchmarks.papers.accuracy --data-home FOLDER
"""

from .methods import METHODS
from .runner import Table, main
from .scores import FIELDS, measure

TABLE = Table("accuracy", "All methods on all sets.", METHODS, measure, FIELDS)

if __name__ == "__main__":
    main(TABLE)
