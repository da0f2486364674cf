"""The Python snippets of README and pages run, one after the other."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^\.\. code-block:: python\n\n((?:(?: {4}.*)?\n)+)", re.MULTILINE)
PAGES = [
    "README.rst",
    "doc/callbacks.rst",
    "doc/coming_from.rst",
    "doc/saving.rst",
    "doc/streams.rst",
]


@pytest.mark.parametrize("page", PAGES)
def test_snippets_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    assert len(blocks) == text.count(".. code-block:: python") > 0
    namespace = {"__name__": "snippets"}
    for block in blocks:
        first_line = text.count("\n", 0, block.start(1))
        code = "if True:\n" + block[1]  # as indented as it stands
        code = "\n" * (first_line - 1) + code  # so that a traceback names the line
        exec(compile(code, str(path), "exec"), namespace)
