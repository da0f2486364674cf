"""The commands that measure what a page does not have yet."""

from .rst import code

__all__ = ["command", "to_measure"]


def command(table, data=None, methods=()):
    """The command that measures a table, or a part of it."""
    line = f"python -m benchmarks.papers.{table.name} --data-home FOLDER"
    if data:
        line += f" --data {data}"
    if methods:
        quoted = (f'"{name}"' if " " in name else name for name in methods)
        line += f" --methods {' '.join(quoted)}"
    return line


def to_measure(commands, names=()):
    """What is missing, if it has names, and the commands for it, each once."""
    if not commands:
        return []
    what = f"Not measured: {', '.join(names)}." if names else "Not measured yet:"
    return [what, "", *code(dict.fromkeys(commands))]
