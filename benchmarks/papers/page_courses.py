"""What the courses of training show: times to converge, and curves in brief."""

from .commands import command, to_measure, unmeasured
from .curves import TABLE as CURVES
from .data import DATA
from .idcl_convergence_time import PART
from .idcl_convergence_time import TABLE as TIMES
from .rst import code, heading, table
from .summary import MISSING, are_its_own, options
from .targets import CONVERGENCE

__all__ = ["convergence", "courses", "curves"]


def courses(table_, rows):
    """(data, method, options, seed) -> the rows of a course, refresh by refresh.

    Of an epoch that was written twice the later row counts.
    """
    found = {}
    for row in rows:
        if not row["error"]:
            key = row["data"], row["method"], options(table_, row), int(row["seed"])
            found.setdefault(key, {})[int(row["epoch"])] = row
    return {key: list(course.values()) for key, course in found.items()}


def failures(table_, rows, found):
    """A line for each run that has failed and has no course."""
    failed = {}
    for row in rows:
        key = row["data"], row["method"], options(table_, row), int(row["seed"])
        if row["error"] and key not in found:
            failed[key] = row["error"]
    return [
        f"{', '.join(map(str, named(key)[:2]))}, seed {key[3]}: failed, {error}."
        for key, error in failed.items()
    ]


def to_share(course, share=0.9):
    """The first row of a course at a share of its best ACC."""
    best = max(float(row["acc"]) for row in course)
    return next(row for row in course if float(row["acc"]) >= share * best)


def to_share_of_gain(course, share=0.9):
    """The first row with such a share of the best ACC less that of the start."""
    accuracies = [float(row["acc"]) for row in course]
    start, best = accuracies[0], max(accuracies)
    enough = start + share * (best - start)
    return next(row for row in course if float(row["acc"]) >= enough)


def convergence(rows):
    """Time to 90 % of the best ACC, over that of the same model without curriculum.

    And steps to 90 % of the gain, where the start has 90 % of the best already.
    """
    found = courses(TIMES, rows)
    points = {key: to_share(course) for key, course in found.items()}
    gains = {key: to_share_of_gain(course) for key, course in found.items()}
    failed = failures(TIMES, rows, points)
    cells = [
        [
            *named(key),
            *(point[name] for name in ("cluster_seconds", "seconds", "epoch")),
            ratio(points, key, "cluster_seconds"),
            f"{CONVERGENCE[key[0]]:.2f}" if key[0] in CONVERGENCE else "",
            gains[key]["steps"],
            ratio(gains, key, "steps"),
        ]
        for key, point in points.items()
    ]
    header = ["Data", "Method", "Seed", "Seconds", "With pretraining", "Epochs"]
    header += ["Ratio", "Published", "Steps of the gain", "Their ratio"]
    return [
        *top(TIMES),
        "Seconds of the clustering phase, and of the fit up to there, and the ratio of",
        "the former to those without the curriculum. 0 epochs: what clustering starts",
        "from is that good already. Steps of the gain: until 90 % of what the best ACC",
        "is above that of the start.",
        "",
        *(table(header, cells) if cells else []),
        *missing(TIMES, points, failed),
    ]


def ratio(points, key, field):
    """A field over that without the curriculum, where both are known."""
    data, method, extra, seed = key
    other = points.get((data, f"{method}, {PART}", extra, seed), {}).get(field)
    own = points[key].get(field)
    if not own or not other or not float(other):
        return ""
    return f"{float(own) / float(other):.2f}"


def curves(rows, pictures):
    """ACC / NMI at the quarters of a course, and its picture if there is one.

    The CSV file holds all of it; `pictures` are paths as seen from the page.
    """
    found = courses(CURVES, rows)
    cells = []
    for key, course in found.items():
        last = len(course) - 1  # refreshes
        quarters = (course[last * part // 4] for part in range(5))
        cells.append([*named(key), last, *(pair(row) for row in quarters)])
    header = [
        "Data",
        "Method",
        "Seed",
        "Refreshes",
        "Start",
        "1/4",
        "1/2",
        "3/4",
        "End",
    ]
    return [
        *top(CURVES),
        "ACC / NMI along the clustering phase; loss, reconstruction error and size of",
        "the curriculum are in ``curves.csv``.",
        "",
        *(table(header, cells) if cells else []),
        *(f".. image:: {path}\n" for path in pictures),
        *missing(CURVES, found, failures(CURVES, rows, found)),
    ]


def top(table_):
    return [*heading(table_.title.rstrip(".")), *code([command(table_)])]


def named(key):
    """The first cells of a row: set, method and seed."""
    data, method, extra, seed = key
    return [DATA[data].title, f"{method} ({extra})" if extra else method, seed]


def pair(row):
    return f"{100 * float(row['acc']):.1f} / {100 * float(row['nmi']):.1f}"


def missing(table_, found, failed):
    """What has failed, the sets without a course, and how to measure what lacks."""
    done = {data: {} for data in table_.data}
    for data, method, extra, seed in found:
        if are_its_own(extra):
            done[data].setdefault(method, set()).add(seed)
    left = [data for data in table_.data if not done[data]]
    lines = [*failed, *(f"{DATA[data].title}: {MISSING}." for data in left)]
    commands = [line for data in done for line in unmeasured(table_, data, done[data])]
    return ["\n".join(lines), "", *to_measure(commands)]
