"""The Python snippets of the README run, one after the other."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.rst"
BLOCK = re.compile(r"^\.\. code-block:: python\n\n((?:(?: {4}.*)?\n)+)", re.MULTILINE)


def test_snippets_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    text = README.read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    assert len(blocks) == text.count(".. code-block:: python") > 0
    namespace = {"__name__": "readme"}
    for block in blocks:
        first_line = text.count("\n", 0, block.start(1))
        code = "if True:\n" + block[1]  # as indented as it stands
        code = "\n" * (first_line - 1) + code  # so that a traceback names the line
        exec(compile(code, str(README), "exec"), namespace)
