"""Rows over seeds: the mean and the spread that a page shows."""

import re
import statistics

from .runner import describe

__all__ = [
    "MISSING",
    "Summary",
    "are_its_own",
    "get",
    "name_with_options",
    "options",
    "seeds_of",
    "summarise",
]

MISSING = "not measured"


class Summary:
    """The rows of one method on one set, seed by seed, as numbers.

    Of a seed that was run several times the last run counts.
    """

    def __init__(self, rows):
        by_seed = {int(row["seed"]): row for row in rows}
        self.tried = set(by_seed)  # seeds, those that failed among them
        self.errors = [row["error"] for row in by_seed.values() if row["error"]]
        self.by_seed = {
            seed: row for seed, row in sorted(by_seed.items()) if not row["error"]
        }

    def __bool__(self):
        return bool(self.by_seed)

    def values(self, field):
        """Of each seed, where there is one."""
        found = (row[field] for row in self.by_seed.values())
        return [float(value) for value in found if value != ""]

    def mean(self, field, scale=1):
        """nan where there is nothing."""
        values = self.values(field)
        return scale * statistics.fmean(values) if values else float("nan")

    @property
    def n_seeds(self):
        """How many were run, those that failed among them."""
        return len(self.tried)

    @property
    def seeds(self):
        """Their number as text, and how many of them have failed."""
        failed = f" ({len(self.errors)} failed)" if self.errors else ""
        return f"{self.n_seeds}{failed}" if self.n_seeds else ""

    @property
    def seconds(self):
        """Median, lowest and highest of the fits that were timed, device by device."""
        return by_device(self.by_seed.values(), lambda row: row["wall_s"])

    @property
    def training_seconds(self):
        """Likewise of the epochs of both phases, which are a part of a fit."""
        return by_device(self.by_seed.values(), seconds_of_phases)

    def text(self, field, scale=1, digits=1):
        """Mean ± standard deviation; the mean alone of a single seed."""
        values = [scale * value for value in self.values(field)]
        if not values:
            return ""
        mean = f"{statistics.fmean(values):.{digits}f}"
        if len(values) == 1:
            return mean
        return f"{mean} ± {statistics.stdev(values):.{digits}f}"

    def pair(self):
        """ACC / NMI x 100, or why there is none."""
        if self:
            return f"{self.text('acc', 100)} / {self.text('nmi', 100)}"
        return f"failed: {self.errors[-1]}" if self.errors else MISSING


def by_device(rows, seconds_of):
    """Times of rows as text; `seconds_of` a row is "" where there is none."""
    devices = {}
    for row in rows:
        if (seconds := seconds_of(row)) != "":
            name = row.get("device") or "cpu"
            devices.setdefault(name, []).append(float(seconds))
    return "; ".join(
        times(seconds) + (f" ({name})" if name != "cpu" else "")
        for name, seconds in devices.items()
    )


def seconds_of_phases(row):
    found = (row.get(f"s_{phase}", "") for phase in ("pretrain", "cluster"))
    seconds = [float(value) for value in found if value != ""]
    return sum(seconds) if seconds else ""


def times(seconds):
    low, median, high = (f"{f(seconds):.0f}" for f in (min, statistics.median, max))
    return median if low == high else f"{median}, {low} to {high}"


def summarise(table, rows):
    """(data, method) -> Summary."""
    groups = {}
    for row in rows:
        key = row["data"], name_with_options(table, row)
        groups.setdefault(key, []).append(row)
    return {key: Summary(group) for key, group in groups.items()}


def name_with_options(table, row):
    """The method of a row, with the settings that came by ``--option`` in brackets."""
    extra = options(table, row)
    return f"{row['method']} ({extra})" if extra else row["method"]


def options(table, row):
    """The settings of a row that are not the method's own in this table.

    All of them where it lacks one of the method's own: a row of an earlier method of
    that name.
    """
    method = table.methods.get(row["method"])
    own = parts(describe(method.settings)) if method else []
    found = parts(row["settings"])
    if not set(own) <= set(found):
        return row["settings"] or "with other settings"
    return ", ".join(part for part in found if part not in own)


def parts(settings):
    """NAME=VALUE, one by one; a value may hold commas itself."""
    return re.split(r", (?=\w+=)", settings) if settings else []


def seeds_of(summaries, data):
    """Method -> the seeds of a set that have rows, by its own settings."""
    seeds = {}
    for (place, name), summary in summaries.items():
        bare, _, extra = name.partition(" (")
        if place == data and are_its_own(extra.removesuffix(")")):
            seeds.setdefault(bare, set()).update(summary.tried)
    return seeds


def are_its_own(extra):
    """Whether settings beside a method's own leave it what it is: but for rounding."""
    return all(part.startswith("precision=") for part in parts(extra))


def get(summaries, data, method):
    """The Summary of a method on a set, an empty one if there are no rows."""
    return summaries.get((data, method), Summary([]))
