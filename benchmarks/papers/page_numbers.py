"""The numbers of clusters that were found, set by set."""

from .commands import command, to_measure
from .data import DATA
from .number_of_clusters import TABLE
from .rst import code, heading, table

__all__ = ["numbers"]

NEAR = 2  # at most so far from the number of classes


def numbers(rows):
    """What each seed has found, and how many of them come near."""
    found = {}
    for row in rows:
        if not row["error"]:
            key = row["data"], row["settings"]
            found.setdefault(key, {})[int(row["seed"])] = row
    cells = [line(*key, by_seed) for key, by_seed in found.items()]
    header = ["Data", "Settings", "Classes", "Found, seed by seed", "Within 2"]
    missing = [data for data in TABLE.data if data not in {key[0] for key in found}]
    return [
        *heading('The number of clusters: n_clusters="auto"'),
        *code([command(TABLE)]),
        *(table([*header, "Seconds"], cells) if cells else []),
        *to_measure(
            [command(TABLE, data) for data in missing],
            [DATA[data].title for data in missing],
        ),
    ]


def line(data, settings, by_seed):
    rows = [row for _, row in sorted(by_seed.items())]
    values = [int(row["found"]) for row in rows]
    n_classes = int(rows[0]["n_classes"])
    near = sum(abs(value - n_classes) <= NEAR for value in values)
    seconds = sorted(float(row["wall_s"]) for row in rows)[len(rows) // 2]
    return [
        DATA[data].title,
        settings or "defaults",
        str(n_classes),
        ", ".join(map(str, values)),
        f"{near} of {len(values)}",
        f"{seconds:.0f}",
    ]
