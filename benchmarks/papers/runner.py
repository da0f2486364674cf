"""From a table's definition to its rows: what is not in the CSV yet is run."""

import argparse
import ast
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from tqdm import tqdm

from deepdensity import __version__

from . import store
from .child import in_child
from .data import DATA, NotThere, load

__all__ = ["RESULTS", "Job", "Table", "describe", "main"]

RESULTS = Path(__file__).parent / "results"
KEY = ("table", "data", "method", "settings", "seed")
END = ("threads", "torch", "version", "error")


class Table(NamedTuple):
    """What a command measures."""

    name: str  # of the CSV file too
    title: str
    methods: dict  # name -> Method
    measure: Callable  # (Method, samples, y, seed) -> list of dicts of `fields`
    fields: tuple
    data: tuple = tuple(DATA)
    most_seeds: int = 5
    same: dict = {}  # name of a method that changes nothing -> on which sets


class Job(NamedTuple):
    """One fit of a table."""

    data: str
    method: str
    settings: str
    seed: int


def main(table, argv=None):
    """Run a table as a command."""
    options = parse(table, argv)
    methods = with_options(table.methods, options.methods, options.option)
    out = Path(options.out or RESULTS / f"{table.name}.csv")
    planned = plan(table, methods, options.data, options.seeds)
    done = finished(table, out, options.retry)
    todo = [job for job in planned if job not in done]
    tqdm.monitor_interval = 0  # no thread beside the processes of child.py
    missing = set()
    with tqdm(total=len(todo), unit="fit", desc=table.name) as bar:
        for job in todo:
            bar.set_postfix_str(f"{job.data}, {job.method}, seed {job.seed}")
            # another process may have done it by now
            if job.data not in missing and job not in finished(
                table, out, options.retry
            ):
                try:
                    samples, y = cached_load(job.data, options.data_home)
                except NotThere as error:
                    missing.add(job.data)
                    bar.write(str(error))
                else:
                    rows = run(table, methods[job.method], job, samples, y, options)
                    store.append(out, (*KEY, *table.fields, *END), rows)
            bar.update()
    print(f"Rows are in {out}")


def run(table, method, job, samples, y, options):
    """The rows of one job; of a job that fails one row, with the error."""
    if options.memory and "memory" in method.parameters:
        method = method.variant(memory=options.memory)
    measure = functools.partial(table.measure, method, samples, y, job.seed)
    found, error = in_child(measure, options.time_limit)
    end = (torch.get_num_threads(), torch.__version__, __version__, error)
    common = dict(zip((*KEY, *END), (table.name, *job, *end)))
    return [{**common, **row} for row in found or [{}]]


@functools.lru_cache(maxsize=1)
def cached_load(name, data_home):
    return load(name, data_home)


def parse(table, argv):
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.papers.{table.name}", description=table.title
    )
    add = parser.add_argument
    home = os.environ.get("DEEPDENSITY_DATA_HOME")
    add("--data-home", metavar="FOLDER", default=home, help="where the files are")
    add("--data", nargs="+", choices=list(DATA), default=table.data, metavar="SET")
    add("--methods", nargs="+", choices=list(table.methods), metavar="METHOD")
    add("--seeds", type=int, nargs="+", help="default: 0, 1, ...; 2 of large sets")
    add("--out", metavar="FILE.csv", help=f"default: results/{table.name}.csv")
    add("--option", action="append", default=[], metavar="NAME=VALUE", type=setting)
    add("--time-limit", type=float, metavar="SECONDS", help="of one fit")
    add("--memory", metavar="FOLDER", help="share pretraining and starts by it")
    add("--retry", action="store_true", help="run what has failed again")
    return parser.parse_args(argv)


def setting(text):
    """NAME=VALUE as a pair; a value that is no Python literal is a string."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} must be NAME=VALUE")
    try:
        return name, ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return name, value


def with_options(methods, names, options):
    """The chosen methods, each with those of the options that it knows."""
    methods = {name: methods[name] for name in names or methods}
    for option, _ in options:
        if not any(option in method.parameters for method in methods.values()):
            raise SystemExit(f"--option {option}: no chosen method has it")
    return {
        name: method.variant(
            **{key: value for key, value in options if key in method.parameters}
        )
        for name, method in methods.items()
    }


def plan(table, methods, data, seeds):
    """All jobs, the first seed of everything first."""
    jobs = [
        Job(name, method, describe(methods[method].settings), seed)
        for name in data
        for method in methods
        if name not in table.same.get(method, ())
        for seed in seeds or range(min(table.most_seeds, DATA[name].n_seeds))
    ]
    return sorted(jobs, key=lambda job: job.seed)


def describe(settings):
    """Settings as the text that a row keeps; the device has a column of its own."""
    return ", ".join(
        f"{name}={value!r}"
        for name, value in sorted(settings.items())
        if name != "device"
    )


def finished(table, out, retry):
    """The jobs of a table that have rows.

    Those of an error are left out where it is tried again.

    A job that has failed once and not the next time has rows of both kinds.
    """
    return {
        Job(row["data"], row["method"], row["settings"], int(row["seed"]))
        for row in store.read(out)
        if row["table"] == table.name and not (retry and row["error"])
    }
