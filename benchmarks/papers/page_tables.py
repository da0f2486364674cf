"""The tables: of all methods for each set, of an ablation over sets, of a grid."""

from . import decs_grid
from .accuracy import TABLE
from .commands import command, to_measure, unmeasured
from .data import DATA
from .rst import code, heading, table
from .summary import MISSING, get, seeds_of

__all__ = ["accuracy", "grid", "variants"]

SCORES = {"ACC": "acc", "NMI": "nmi", "ARI": "ari", "ACC of k-means": "start_acc"}
HEADER = ("Method", *SCORES, "Clusters", "Seeds", "Seconds", "Epochs", "Steps")
PHASES = ("pretrain", "cluster")


def accuracy(summaries):
    """All methods, a table for each set."""
    lines = [*heading("All methods"), *code([command(TABLE)])]
    lines += [
        "ACC of k-means: on the pretrained embedding, in the place of which the",
        "defaults of IDCL and DECS try other starts. Epochs and steps are those of",
        "pretraining + clustering. In brackets: settings that differ from the method's",
        "own. Seconds are median, lowest and highest of the fits that were timed, on",
        "one thread beside other work: the same steps may take twice as long on one",
        "day as on another. Of fits that shared parts they are those of the epochs of",
        "both phases, without starts and refreshes, and say so.",
    ]
    for data in DATA:
        lines += [*heading(DATA[data].title, "~"), *one_set(data, summaries)]
    return lines


def one_set(data, summaries):
    """The table of a set: a row for each method, and for what else was tried."""
    record = DATA[data]
    found = [method for place, method in summaries if place == data]
    if record.optional and not found:
        return [f"Not there: put ``{record.file}`` in ``FOLDER``.", ""]
    methods = [method for method in TABLE.methods if method in found]
    rows = [
        row(method, get(summaries, data, method))
        for method in dict.fromkeys([*methods, *found])
    ]
    return [
        *(table(HEADER, rows) if rows else []),
        *to_measure(unmeasured(TABLE, data, seeds_of(summaries, data))),
    ]


def row(method, summary):
    """The cells of a method: scores, seeds, time, and what both phases took."""
    if not summary:
        return [method, summary.pair(), *[""] * (len(HEADER) - 2)]
    return [
        method,
        *(summary.text(field, 100) for field in SCORES.values()),
        summary.text("n_found", digits=0),
        summary.seeds,
        summary.seconds or in_epochs(summary.training_seconds),
        both_phases(summary, "epochs"),
        both_phases(summary, "steps"),
    ]


def in_epochs(seconds):
    return f"{seconds} in epochs" if seconds else ""


def both_phases(summary, kind):
    means = (summary.mean(f"{kind}_{phase}") for phase in PHASES)
    return " + ".join(f"{mean:.0f}" for mean in means if mean == mean)  # no nan


def variants(table_, summaries):
    """An ablation: a row for each variant, a column for each set."""
    found = {method for _, method in summaries}
    sets = [data for data in table_.data if data in {place for place, _ in summaries}]
    methods = [method for method in table_.methods if method in found]
    rows = [
        [method, *(cell(table_, summaries, data, method) for data in sets)]
        for method in dict.fromkeys([*methods, *sorted(found)])
    ]
    titles = [DATA[data].title for data in sets]
    return [
        *heading(table_.title.rstrip(".")),
        *code([command(table_)]),
        "ACC / NMI, and the number of seeds in brackets.",
        *(["Empty: nothing to take out."] if table_.same else []),
        "",
        *(table(["Method", *titles], rows) if sets else []),
        *left_out(table_, summaries),
    ]


def cell(table_, summaries, data, method):
    summary = get(summaries, data, method)
    if not summary and data in table_.same.get(method, ()):
        return ""
    return f"{summary.pair()} ({summary.seeds})" if summary else summary.pair()


def left_out(table_, summaries):
    """The commands for the methods, sets and seeds of a table that have no rows."""
    commands = []
    for data in table_.data:
        commands += unmeasured(table_, data, seeds_of(summaries, data))
    return to_measure(commands)


def grid(summaries):
    """ACC / NMI of DECS by alpha and lambda, a table for each set and --option."""
    lines = [
        *heading(decs_grid.TABLE.title.rstrip(".")),
        *code([command(decs_grid.TABLE)]),
        "ACC / NMI. The cells of a table share one autoencoder and one start, and no",
        "guard puts a cell back to that. The paper's axes are not in its text.",
        "",
    ]
    header = ["alpha", *(f"lambda {weight}" for weight in decs_grid.LAMBDAS)]
    for data in decs_grid.TABLE.data:
        brackets = in_brackets(summaries, data)
        if not brackets:
            lines += [f"{DATA[data].title}: {MISSING}.", ""]
        for extra in brackets:
            rows = [
                [alpha, *grid_row(summaries, data, alpha, extra)]
                for alpha in decs_grid.ALPHAS
            ]
            lines += [*heading(DATA[data].title + extra, "~"), *table(header, rows)]
    return [*lines, *left_out(decs_grid.TABLE, summaries)]


def in_brackets(summaries, data):
    """What follows the names of a set's cells: settings that came by ``--option``."""
    parts = (method.partition(" (") for place, method in summaries if place == data)
    return list(dict.fromkeys(space + extra for _, space, extra in parts))


def grid_row(summaries, data, alpha, extra):
    names = (decs_grid.cell(alpha, weight) for weight in decs_grid.LAMBDAS)
    return [get(summaries, data, name + extra).pair() for name in names]
