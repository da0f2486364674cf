"""The numbers of clusters that were found, set by set."""

from .commands import command, to_measure, unmeasured
from .data import DATA
from .number_of_clusters import TABLE
from .rst import code, heading, table

__all__ = ["numbers"]

NEAR = 2  # at most so far from the number of classes


def numbers(rows):
    """What each seed has found, and how many of them come near."""
    found = {}
    for row in rows:
        key = row["data"], row["settings"]
        found.setdefault(key, {})[int(row["seed"])] = row
    cells = [line(*key, by_seed) for key, by_seed in found.items()]
    header = ["Data", "Settings", "Classes", "Found, seed by seed", "Within 2"]
    commands = []
    for data in TABLE.data:
        seeds = {seed for key in found if key[0] == data for seed in found[key]}
        commands += unmeasured(TABLE, data, dict.fromkeys(TABLE.methods, seeds))
    return [
        *heading('The number of clusters: n_clusters="auto"'),
        *code([command(TABLE)]),
        *(table([*header, "Seconds"], cells) if cells else []),
        *to_measure(commands),
    ]


def line(data, settings, by_seed):
    rows = [row for _, row in sorted(by_seed.items())]
    done = [row for row in rows if not row["error"]]
    near = sum(abs(int(row["found"]) - int(row["n_classes"])) <= NEAR for row in done)
    seconds = sorted(float(row["wall_s"]) for row in done)
    return [
        DATA[data].title,
        settings or "defaults",
        done[0]["n_classes"] if done else "",
        ", ".join("failed" if row["error"] else row["found"] for row in rows),
        f"{near} of {len(rows)}",
        f"{seconds[len(seconds) // 2]:.0f}" if seconds else "",
    ]
