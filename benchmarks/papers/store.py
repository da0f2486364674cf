"""Rows in a CSV file that several processes may add to, and that may be cut off."""

import csv
import io
import os

__all__ = ["append", "read"]


def read(path):
    """The rows of a file as dicts, oldest first; lines that are torn are left out.

    A row is one line, so that a torn one harms no other.
    """
    header, *rows = table(path) or [[]]
    return [
        dict(zip(header, row))
        for row in rows
        if len(row) == len(header) and row != header
    ]


def table(path):
    """The lines of a file as lists of cells; none of a file that is not there."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    return [next(csv.reader([line])) for line in lines if line]


def append(path, fields, rows):
    """Add rows (dicts) by one write at the end of the file, made if need be.

    Raises a ValueError where the file has other columns, or a torn line of them: its
    rows would be lost to `read`.
    """
    header, *_ = table(path) or [list(fields)]
    if header != list(fields):
        raise ValueError(
            f"{path} has the columns {header}, and rows are to be added that have "
            f"{list(fields)}: move it away."
        )
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, restval="", lineterminator="\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            writer.writeheader()
        elif not ends_a_line(file):
            text.write("\n")  # after a torn line
        writer.writerows(rows)
        file.write(text.getvalue().encode())


def ends_a_line(file):
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
