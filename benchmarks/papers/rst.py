"""The little reStructuredText that a page of tables needs."""

__all__ = ["code", "heading", "table"]


def heading(text, underline="-"):
    return ["", text, underline * len(text), ""]


def table(header, rows):
    """A list-table with a header row."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in [header, *rows]:
        marks = ["*", *" " * (len(row) - 1)]
        lines += [f"   {mark} - {cell}".rstrip() for mark, cell in zip(marks, row)]
    return [*lines, ""]


def code(lines):
    return [".. code-block:: console", "", *(f"    {line}" for line in lines), ""]
