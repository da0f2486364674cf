"""README and pages: their snippets run, and their figures are those measured."""

import re
from pathlib import Path

import pytest

from benchmarks.papers.accuracy import TABLE
from benchmarks.papers.data import DATA
from benchmarks.papers.runner import RESULTS
from benchmarks.papers.store import read
from benchmarks.papers.summary import get, summarise

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^\.\. code-block:: python\n\n((?:(?: {4}.*)?\n)+)", re.MULTILINE)
PAGES = [
    "README.rst",
    "doc/callbacks.rst",
    "doc/coming_from.rst",
    "doc/saving.rst",
    "doc/streams.rst",
]
METHODS = {  # head of a column -> the method
    "k-means, 50 components": "k-means PCA 50",
    "``DECSClustering``": "DECS",
    "``IDCLClustering``": "IDCL",
    "ClustPy's DEC": "DEC",
    "DEC": "DEC",
    "IDEC": "IDEC",
    "DCN": "DCN",
}
ON_IMAGES = " (precision='bfloat16')"  # how ClustPy's were run there


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


@pytest.mark.parametrize(
    ("page", "n_figures"), [("README.rst", 24), ("doc/coming_from.rst", 15)]
)
def test_figures_are_the_means_of_the_rows(page, n_figures):
    summaries = summarise(TABLE, read(RESULTS / "accuracy.csv"))
    data = {record.title: name for name, record in DATA.items()}
    checked = 0
    for name, method, figure in cells((ROOT / page).read_text(encoding="utf-8")):
        summary = get(summaries, data[name], method + ON_IMAGES)
        if method in ("DECS", "IDCL") or not summary:
            summary = get(summaries, data[name], method)
        assert summary.n_seeds == 5
        means = (summary.mean(field, 100) for field in ("acc", "nmi"))
        assert figure == " / ".join(f"{mean:.1f}" for mean in means), (name, method)
        checked += 1
    assert checked == n_figures


def cells(text):
    """(data, method, "ACC / NMI") of the tables with a set in each row."""
    for block in re.findall(r"\.\. list-table::\n(?:   .*\n|\n)+", text):
        header, *rows = (
            re.split(r"\n     - ", row.strip()) for row in block.split("   * - ")[1:]
        )
        if header[0] != "Data":
            continue
        for name, *figures in rows:
            for head, figure in zip(header[1:], figures):
                yield name, METHODS[head], figure
