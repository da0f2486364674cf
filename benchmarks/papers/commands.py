"""The commands that measure what a page does not have yet."""

from .data import DATA
from .rst import code

__all__ = ["command", "to_measure", "unmeasured"]


def command(table, data=None, methods=(), seeds=()):
    """The command that measures a table, or a part of it."""
    line = f"python -m benchmarks.papers.{table.name} --data-home FOLDER"
    if data:
        line += f" --data {data}"
    if methods:
        quoted = (f'"{name}"' if " " in name else name for name in methods)
        line += f" --methods {' '.join(quoted)}"
    if seeds:
        line += f" --seeds {' '.join(map(str, seeds))}"
    return line


def unmeasured(table, data, seeds):
    """The commands for what a set lacks, by the seeds that each method has.

    Parameters
    ----------
    table : Table
    data : str
    seeds : dict
        Method -> its seeds that have rows.
    """
    wanted = range(min(table.most_seeds, DATA[data].n_seeds))
    methods = [m for m in table.methods if data not in table.same.get(m, ())]
    lacking = {}  # seeds -> the methods that lack them
    for method in methods:
        left = tuple(seed for seed in wanted if seed not in seeds.get(method, ()))
        if left:
            lacking.setdefault(left, []).append(method)
    return [
        command(table, data, of * (of != methods), left * (left != tuple(wanted)))
        for left, of in lacking.items()
    ]


def to_measure(commands):
    """The commands for what is missing, each once."""
    if not commands:
        return []
    return ["Not measured yet:", "", *code(dict.fromkeys(commands))]
