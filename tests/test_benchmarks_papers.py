"""The benchmark of ``benchmarks/papers``: on tiny data, with quick methods."""

import csv
import multiprocessing
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.datasets import make_blobs

from benchmarks.papers import (
    accuracy,
    child,
    commands,
    curves,
    decs_grid,
    idcl_ablation,
    idcl_convergence_time,
    number_of_clusters,
    page_tables,
    page_targets,
    peer_epochs,
    pictures,
    recipe_ablation,
    render,
    runner,
    scores,
    store,
    summary,
)
from benchmarks.papers.data import DATA, NotThere, Samples, load, normalise_contrast
from benchmarks.papers.fits import Fit, Phase
from benchmarks.papers.methods import METHODS, Method, deep
from benchmarks.papers.trace import measure as measure_course
from deepdensity import DECSClustering, papers

from .common import digit_vectors

N = 30
LABELS = np.arange(N) % 3


def save_arrays(folder, file, shape, dtype):
    X = np.random.default_rng(0).integers(0, 256, (N, *shape)).astype(dtype)
    np.savez(folder / file, X=X, y=LABELS)


def save_sparse(folder, file):
    X = sparse.random(N, 40, density=0.5, format="csr", random_state=0)
    X.data = np.ceil(9 * X.data)
    sparse.save_npz(folder / file, X.astype(np.uint16))
    with np.load(folder / file) as saved:
        parts = dict(saved)
    np.savez(folder / file, **parts, y=LABELS)


# -- data ----------------------------------------------------------------------------


def test_bytes_become_shares_and_images_flat(tmp_path):
    save_arrays(tmp_path, "fashion_mnist.npz", (28, 28), np.uint8)
    samples, y = load("fashion", tmp_path)
    assert samples.X.shape == (N, 784)
    assert samples.X.dtype == np.float32
    assert 0 <= samples.X.min() and samples.X.max() <= 1
    assert samples.image_shape == (28, 28)
    np.testing.assert_array_equal(y, LABELS)


def test_usps_is_divided_by_2000(tmp_path):
    save_arrays(tmp_path, "usps.npz", (16, 16), np.uint16)
    samples, _ = load("usps", tmp_path)
    with np.load(tmp_path / "usps.npz") as file:
        expected = file["X"].reshape(N, -1) / 2000
    np.testing.assert_allclose(samples.X, expected, rtol=1e-6)


def test_signs_are_grey(tmp_path):
    save_arrays(tmp_path, "gtsrb5.npz", (32, 32, 3), np.uint8)
    samples, _ = load("gtsrb5", tmp_path)
    assert samples.X.shape == (N, 32 * 32)
    assert samples.image_shape == (32, 32)


def test_contrast_does_not_depend_on_brightness():
    image = np.random.default_rng(0).random((1, 32, 32))
    dark = 0.5 * image + 0.1
    bright, dim = normalise_contrast(image), normalise_contrast(dark)
    assert np.abs(image - dark).mean() > 0.1
    assert np.abs(bright - dim).mean() < 0.02


@pytest.mark.parametrize("name", ["pbmc", "kidney"])
def test_cells_have_the_median_total(tmp_path, name):
    save_sparse(tmp_path, DATA[name].file)
    samples, _ = load(name, tmp_path)
    counts = sparse.load_npz(tmp_path / DATA[name].file).toarray()
    totals = np.expm1(samples.X.toarray()).sum(axis=1)
    np.testing.assert_allclose(totals, np.median(counts.sum(axis=1)), rtol=1e-4)
    assert samples.X.format == "csr" and samples.image_shape is None


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_texts_may_be_dense_or_sparse(tmp_path, form):
    X, y = np.eye(5, 7, dtype=np.float32), np.arange(5) % 4
    if form is np.asarray:
        np.savez(tmp_path / "reuters10k.npz", X=X, y=y)
    else:
        sparse.save_npz(tmp_path / "reuters10k.npz", form(X))
        with np.load(tmp_path / "reuters10k.npz") as file:
            arrays = dict(file)
        np.savez(tmp_path / "reuters10k.npz", y=y, **arrays)
    samples, found = load("reuters10k", tmp_path)
    dense = samples.X.toarray() if sparse.issparse(samples.X) else samples.X
    assert dense.tolist() == X.tolist() and found.tolist() == y.tolist()
    assert sparse.issparse(samples.X) == (form is not np.asarray)


def test_optional_set_by_a_file_of_ones_own(tmp_path):
    with pytest.raises(NotThere, match=r"YTF is not there: put ytf\.npz"):
        load("ytf", tmp_path)
    save_arrays(tmp_path, "ytf.npz", (6, 6, 3), np.uint8)
    samples, _ = load("ytf", tmp_path)
    assert samples.image_shape == (6, 6, 3)
    assert samples.n_clusters == 3  # as many as classes


# -- runs ----------------------------------------------------------------------------


def quick(samples, seed, *, shift=0):
    phases = {"pretrain": Phase(1.0, 2.0, 8)}
    return Fit((np.arange(len(samples.X)) + shift) % 3, None, phases)


def fails(samples, seed):
    raise MemoryError("too\nmuch")


def table(**methods):
    methods = {name: Method(fit, frozenset({"shift"})) for name, fit in methods.items()}
    return accuracy.TABLE._replace(methods=methods, data=("fashion",))


@pytest.fixture
def home(tmp_path):
    save_arrays(tmp_path, "fashion_mnist.npz", (28, 28), np.uint8)
    return tmp_path


def run(table, home, *more):
    out = home / "out.csv"
    runner.main(table, ["--data-home", str(home), "--out", str(out), *more])
    return store.read(out)


def test_rows(home):
    rows = run(table(quick=quick), home)
    assert [row["seed"] for row in rows] == ["0", "1"]  # two of a large set
    row = rows[0]
    assert row["acc"] == "1.0" and row["n"] == str(N) and row["n_found"] == "3"
    assert row["steps_pretrain"] == "8" and row["steps_cluster"] == ""
    assert row["error"] == "" and row["settings"] == ""


def test_second_run_does_nothing(home, monkeypatch):
    before = run(table(quick=quick), home)
    monkeypatch.setattr(runner, "in_child", None)  # nothing may be run
    assert run(table(quick=quick), home) == before


def test_torn_last_line_is_run_again(home):
    before = run(table(quick=quick), home)
    out = home / "out.csv"
    out.write_text(out.read_text()[:-30] + '"')
    assert len(store.read(out)) == 1
    after = run(table(quick=quick), home)
    assert [row["seed"] for row in after] == [row["seed"] for row in before]


def test_rows_of_another_table_are_not_taken_for_done(home):
    run(table(quick=quick), home)
    other = table(quick=quick)._replace(name="recipe_ablation")
    rows = run(other, home)
    assert [row["table"] for row in rows] == ["accuracy"] * 2 + ["recipe_ablation"] * 2


def test_a_method_is_not_run_where_it_changes_nothing(home):
    both = table(quick=quick, other=quick)
    rows = run(both._replace(same={"other": ("fashion",)}), home)
    assert {row["method"] for row in rows} == {"quick"}


def test_an_ingredient_that_a_set_has_not_is_left_empty_on_the_page():
    table = recipe_ablation.TABLE
    rows = [{"data": data, "method": "DECS", "acc": "1", "nmi": "1"} for data in DATA]
    rows = [{**row, "settings": "", "seed": "0", "error": ""} for row in rows]
    summaries = summary.summarise(table, rows)
    name = "DECS without balance"
    assert page_tables.cell(table, summaries, "r8", name) == ""
    assert page_tables.cell(table, summaries, "usps", name) == summary.MISSING
    lines = page_tables.left_out(table, summaries)
    of_r8 = next(line for line in lines if "--data r8" in line)
    assert name not in of_r8 and "DECS without guard" in of_r8


def test_failing_row_is_recorded_and_retried(home):
    rows = run(table(quick=quick, fails=fails), home, "--seeds", "3")
    errors = {row["method"]: row["error"] for row in rows}
    assert errors == {"quick": "", "fails": "MemoryError: too much"}
    assert len(run(table(fails=quick), home, "--seeds", "3")) == 2  # done
    again = run(table(fails=quick), home, "--seeds", "3", "--retry")
    assert again[-1]["error"] == "" and len(again) == 3


def test_time_limit(home):
    def endless(samples, seed):
        while True:
            pass

    limits = ["--seeds", "0", "--time-limit", "0.2"]
    (row,) = run(table(endless=endless), home, *limits)
    assert row["error"].startswith("TimeoutError")


def test_on_a_gpu_fits_stay_in_the_process(monkeypatch):
    assert child.in_child(os.getpid)[0] != os.getpid()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert child.in_child(os.getpid) == (os.getpid(), "")
    assert child.in_child(lambda: 1 / 0) == (
        None,
        "ZeroDivisionError: division by zero",
    )


def test_options_are_recorded(home):
    rows = run(table(quick=quick), home, "--seeds", "0", "--option", "shift=1")
    assert rows[0]["settings"] == "shift=1"
    with pytest.raises(SystemExit, match="no chosen method has it"):
        run(table(quick=quick), home, "--option", "unknown=1")


def test_what_is_shared_has_the_same_scores_and_no_seconds(home, tmp_path):
    quick_fit = {"pretrain_epochs": 1, "max_epochs": 1, "init": "k-means"}
    method = METHODS["IDCL"].variant(autoencoder="mlp", **quick_fit)
    both = accuracy.TABLE._replace(methods={"some": method}, data=("fashion",))
    (plain,) = run(both, home, "--seeds", "0")
    folder = tmp_path / "kept"
    (home / "out.csv").unlink()
    (shared,) = run(both, home, "--seeds", "0", "--memory", str(folder))
    assert folder.exists() and plain["wall_s"] and not shared["wall_s"]
    for name in ("settings", "acc", "nmi", "ari", "steps_cluster"):
        assert shared[name] == plain[name]


def test_missing_set_is_told_and_leaves_no_row(home, capsys):
    assert run(table(quick=quick), home, "--data", "stl10") == []
    assert "stl10.npz" in capsys.readouterr().out


def test_values_are_kept_whatever_is_in_them(tmp_path):
    path = tmp_path / "rows.csv"
    for value in ("a,b", 'c"d', ""):
        store.append(path, ("x", "y"), [{"x": value}])
    assert [row["x"] for row in store.read(path)] == ["a,b", 'c"d', ""]
    with path.open(newline="") as file:
        assert len(list(csv.reader(file))) == 4


def append_rows(path, name):
    for i in range(50):
        store.append(path, ("name", "i"), [{"name": name, "i": i}])


def test_two_writers_at_a_time_lose_nothing(tmp_path):
    path = tmp_path / "rows.csv"
    store.append(path, ("name", "i"), [])
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=append_rows, args=(path, name)) for name in ("a", "b")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    rows = store.read(path)
    for name in ("a", "b"):
        found = [int(row["i"]) for row in rows if row["name"] == name]
        assert found == list(range(50))


def test_rows_of_other_columns_are_refused_and_not_lost(tmp_path):
    path = tmp_path / "rows.csv"
    store.append(path, ("x", "y"), [{"x": 1, "y": 2}])
    before = path.read_text()
    with pytest.raises(ValueError, match=r"columns \['x', 'y'\].*'z'.*move it away"):
        store.append(path, ("x", "y", "z"), [{"x": 1, "y": 2, "z": 3}])
    assert path.read_text() == before


def test_an_empty_file_has_no_rows_and_takes_some(tmp_path):
    path = tmp_path / "rows.csv"
    path.touch()
    assert store.read(path) == []
    store.append(path, ("x",), [{"x": 1}])
    assert store.read(path) == [{"x": "1"}]


# -- methods -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["k-means", "k-means PCA 50", "Gaussian mixture", "spectral", "HDBSCAN"]
)
def test_classical_methods(name):
    X, y = digit_vectors(300)
    samples = Samples("digits", X, 10, (8, 8))
    (row,) = scores.measure(METHODS[name], samples, y, seed=0)
    assert row["acc"] > 0.3
    assert row["n"] == 300


SHORT = {"pretrain_epochs": 1, "n_init": 1, "batch_size": 64}


@pytest.mark.parametrize("name", ["IDCL", "DECS", "IDCL paper", "DECS paper"])
def test_estimators_on_vectors(name):
    X, y = digit_vectors(128)
    limit = {"max_epochs": 2} if "IDCL" in name else {"max_iter": 4}
    method = METHODS[name].variant(**SHORT, **limit)
    (row,) = scores.measure(method, Samples("r8", X, 10, None), y, seed=0)
    assert row["steps_pretrain"] == 2 and row["epochs_pretrain"] == 1
    assert row["steps_cluster"] > 0 and row["device"] == "cpu"


@pytest.mark.parametrize(
    ("base", "given", "built"),
    [(None, {"autoencoder": "conv"}, "auto"), (papers.DECS, {}, "mlp")],
)
def test_vectors_do_not_get_an_image_network(base, given, built):
    made = []

    class Kept(DECSClustering):
        def fit(self, X):
            made.append(self.autoencoder)
            raise RuntimeError

    method = deep(Kept, base)
    for image_shape in (None, (8, 8)):
        samples = Samples("r8", digit_vectors(64)[0], 10, image_shape)
        with pytest.raises(RuntimeError):
            method.fit(samples, 0, **given)
    assert made == [built, "conv"]


def test_course_is_that_of_shorter_fits():
    X, y = digit_vectors(128)
    samples = Samples("digits", X, 10, None)
    # the rate of the one-cycle schedule would depend on the length of the fit, and the
    # guard looks at its end: a course is of what comes before
    settings = {"refresh_interval": 3, "tol": 0, "schedule": "constant", "guard": False}
    method = METHODS["DECS"].variant(**SHORT, **settings)
    course = measure_course(method.variant(max_iter=9), samples, y, seed=0)
    assert [point["steps"] for point in course] == [0, 3, 6, 9]
    for point in course:
        shorter = method.variant(max_iter=point["steps"])
        (row,) = scores.measure(shorter, samples, y, seed=0)
        assert (point["acc"], point["nmi"]) == (row["acc"], row["nmi"])


def test_cells_of_a_grid_share_autoencoder_and_start(tmp_path, monkeypatch):
    X, y = digit_vectors(128)
    samples = Samples("digits", X, 10, None)
    done = []
    for name in ("_pretrain_safely", "_choose_start"):
        step = getattr(DECSClustering, name)
        monkeypatch.setattr(
            DECSClustering,
            name,
            lambda *given, name=name, step=step: done.append(name) or step(*given),
        )
    cells = [
        decs_grid.TABLE.methods[decs_grid.cell(alpha, weight)]
        for alpha, weight in ((0.25, 0.0), (4.0, 1.0))
    ]
    for method in cells:
        method = method.variant(**SHORT, max_iter=2, memory=str(tmp_path))
        decs_grid.TABLE.measure(method, samples, y, seed=0)
    assert done == ["_pretrain_safely", "_choose_start"]


# -- the page ------------------------------------------------------------------------


def row(method, seed, data="digits", **values):
    key = {"table": "accuracy", "data": data, "method": method, "seed": seed}
    common = {"settings": "", "n_found": 10, "wall_s": 60, "error": "", "ari": 0.9}
    return {**key, **common, **values}


def write(folder, module, rows):
    fields = (*runner.KEY, *module.TABLE.fields, *runner.END)
    store.append(folder / f"{module.TABLE.name}.csv", fields, rows)


def test_page_of_nothing_names_the_commands(tmp_path):
    page = "\n".join(render.page(tmp_path))
    assert "not measured" in page
    for name in ("accuracy", "curves", "decs_grid", "idcl_convergence_time"):
        assert f"python -m benchmarks.papers.{name} --data-home FOLDER" in page
    assert "Not there: put ``stl10.npz``" in page


def test_grid_has_a_table_for_each_setting(tmp_path):
    cells = {
        "alpha=0.5, lambda_var=0.2, guard=False": 0.9,
        "alpha=0.5, lambda_var=0.2, guard=False, precision='bfloat16'": 0.8,
    }
    rows = [
        row("alpha=0.5, lambda=0.2", 0, "usps", acc=acc, nmi=acc, settings=settings)
        for settings, acc in cells.items()
    ]
    write(tmp_path, decs_grid, rows)
    page = "\n".join(render.page(tmp_path))
    plain, other = page.split("Fig. 4")[1].split("USPS (precision='bfloat16')")
    assert "90.0 / 90.0" in plain and "80.0 / 80.0" not in plain
    assert "80.0 / 80.0" in other and "90.0 / 90.0" not in other


def test_page_has_means_and_targets(tmp_path):
    rows = [
        row("IDCL", 0, acc=0.96, nmi=0.92),
        row("IDCL", 1, acc=0.98, nmi=0.94),
        row("DECS", 0, acc=0.9, nmi=0.93),
        row("DECS", 0, acc=0.91, nmi=0.93),  # the later run counts
        row("k-means PCA 50", 0, acc=0.8, nmi=0.75),
        row("spectral", 0, error="MemoryError: too much"),
        row("HDBSCAN", 0, acc=0.5, nmi=0.5, settings="min_cluster_size=9"),
        row("k-means", 0, acc=0.6, nmi=0.5, wall_s=""),
    ]
    write(tmp_path, accuracy, rows)
    page = "\n".join(render.page(tmp_path))
    assert "97.0 ± 1.4 / 93.0 ± 1.4" in page
    assert "no, 5.0 short" in page
    assert "2 of 2" in page
    assert "failed: MemoryError: too much" in page
    assert "HDBSCAN (min_cluster_size=9)" in page
    assert "nan" not in page


def test_a_papers_settings_in_bfloat16_are_told_where_there_are_no_others(tmp_path):
    half = {"data": "usps", "method": "DECS paper", "settings": "precision='bfloat16'"}
    full = {**half, "settings": ""}
    values = {"acc": 0.75, "nmi": 0.5, "seed": 0}
    write(tmp_path, accuracy, [{**half, **values}])
    assert "     - 75.0 / 50.0, in bfloat16\n" in "\n".join(render.page(tmp_path))
    write(tmp_path, accuracy, [{**full, **values, "acc": 0.25}])
    page = "\n".join(render.page(tmp_path))
    assert "     - 25.0 / 50.0\n" in page
    assert "in bfloat16" not in page


def test_seeds_that_failed_are_counted(tmp_path):
    rows = [
        row("IDCL", 0, acc=0.97, nmi=0.93),
        row("IDCL", 1, error="TimeoutError: too long"),
        row("k-means PCA 50", 0, acc=0.8, nmi=0.75),
    ]
    write(tmp_path, accuracy, rows)
    page = "\n".join(render.page(tmp_path))
    assert "2 (1 failed)" in page
    assert "no, 1 failed" in page
    assert "1 of 2" in page


def test_seconds_are_those_of_the_fits_that_were_timed_by_device():
    rows = [
        {"seed": seed, "error": "", "wall_s": seconds, "device": device}
        for seed, (seconds, device) in enumerate(
            [("10", "cpu"), ("", "cpu"), ("30", "cpu"), ("2", "cuda"), ("17", "cpu")]
        )
    ]
    assert summary.Summary(rows).seconds == "17, 10 to 30; 2 (cuda)"
    assert summary.Summary(rows[:1]).seconds == "10"
    assert summary.Summary(rows[1:2]).seconds == ""


def test_of_fits_that_shared_parts_the_seconds_are_those_of_their_epochs():
    values = dict.fromkeys(accuracy.TABLE.fields, "")
    bare = summary.Summary([{**values, "seed": 0, "error": ""}])
    assert page_tables.row("k-means", bare)[-3] == ""
    values |= {"seed": 0, "error": "", "s_pretrain": "8", "s_cluster": "2"}
    shared = summary.Summary([{**values, "wall_s": "", "device": "cuda"}])
    assert page_tables.row("IDCL", shared)[-3] == "10 (cuda) in epochs"
    timed = summary.Summary([{**values, "wall_s": "25"}])
    assert page_tables.row("IDCL", timed)[-3] == "25"


def test_the_page_names_the_seeds_that_lack(tmp_path):
    values = {"acc": 0.5, "nmi": 0.5}
    rows = [row(name, seed, **values) for name in ("DEC", "IDEC") for seed in range(5)]
    half = {"settings": "precision='bfloat16'", **values}
    rows += [row("DCN", seed, **half) for seed in (0, 2)]
    other = {"settings": "batch_size=64, precision='bfloat16'", **values}
    rows += [row("DCN", 4, **other)]  # of another method, as it were
    summaries = summary.summarise(accuracy.TABLE, rows)
    seeds = summary.seeds_of(summaries, "digits")
    assert seeds == {"DEC": set(range(5)), "IDEC": set(range(5)), "DCN": {0, 2}}
    of_table = accuracy.TABLE._replace(
        methods={name: None for name in ("DEC", "DCN", "IDEC", "k-means")}
    )
    start = "python -m benchmarks.papers.accuracy --data-home FOLDER --data digits"
    assert commands.unmeasured(of_table, "digits", seeds) == [
        f"{start} --methods DCN --seeds 1 3 4",
        f"{start} --methods k-means",
    ]
    assert commands.unmeasured(of_table, "digits", {}) == [start]


def test_the_page_says_where_the_length_of_a_paper_is_passed():
    values = {"seed": 0, "error": "", "epochs_pretrain": "20", "epochs_cluster": "9"}
    short = summary.Summary([{**values, "steps_cluster": "2000"}])
    assert page_targets.within_a_fifth("IDCL", short) == "yes"
    assert page_targets.within_a_fifth("DECS", short) == "yes"
    long = summary.Summary(
        [{**values, "epochs_pretrain": "48", "steps_cluster": "5480"}]
    )
    assert page_targets.within_a_fifth("IDCL", long) == "no, 48 epochs of pretraining"
    assert page_targets.within_a_fifth("DECS", long) == "no, 5,480 steps of clustering"
    assert page_targets.within_a_fifth("DECS", summary.Summary([])) == ""


def test_a_row_without_the_settings_of_its_method_goes_by_another_name():
    table = recipe_ablation.TABLE
    name = "IDCL without guard"
    own = {"method": name, "settings": "guard=False"}
    assert summary.name_with_options(table, own) == name
    earlier = {"method": name, "settings": ""}
    assert summary.name_with_options(table, earlier) == f"{name} (with other settings)"
    more = {"method": name, "settings": "core_fraction=None, guard=False, x=(1, 2)"}
    expected = f"{name} (core_fraction=None, x=(1, 2))"
    assert summary.name_with_options(table, more) == expected


def test_runs_that_failed_are_named_where_there_is_no_course(tmp_path):
    key = {"data": "digits", "method": "IDCL", "settings": ""}
    write(tmp_path, curves, [{**key, "seed": 0, "error": "MemoryError: full"}])
    write(tmp_path, number_of_clusters, [{**key, "seed": 1, "error": "OSError: no"}])
    page = "\n".join(render.page(tmp_path))
    assert "Digits, IDCL, seed 0: failed, MemoryError: full." in page
    assert "0 of 1" in page


@pytest.mark.parametrize(
    ("n_samples", "is_image", "steps"),
    [(1797, True, (1140, 2000)), (9298, True, (2920, 2000)), (5685, False, (805, 200))],
)
def test_peers_take_the_steps_of_decs(n_samples, is_image, steps):
    epochs = peer_epochs.default_epochs(n_samples, is_image, batch_size=256)
    n_batches = -(-n_samples // 256)
    for n_epochs, least in zip(epochs, steps, strict=True):
        assert (n_epochs - 1) * n_batches < least <= n_epochs * n_batches


def test_the_default_recipe_has_no_transformer_to_be_taken_out():
    methods = idcl_ablation.TABLE.methods
    assert "IDCL, no curriculum" in methods
    assert "IDCL, no Transformer" not in methods
    assert "IDCL paper, no Transformer" in methods


def test_page_has_courses_and_pictures(tmp_path):
    key = {"data": "digits", "method": "IDCL", "seed": 0}
    accuracies = [0.5, 0.7, 0.9]
    points = [
        {**key, "epoch": epoch, "acc": acc, "nmi": 0.5}
        for epoch, acc in enumerate(accuracies)
    ]
    write(tmp_path, curves, points)
    render.main(["--results", str(tmp_path), "--page", str(tmp_path / "page.rst")])
    page = (tmp_path / "page.rst").read_text()
    assert "90.0 / 50.0" in page
    assert ".. image:: curves-digits-IDCL-0.png\n" in page
    picture = (tmp_path / "curves-digits-IDCL-0.png").read_bytes()
    assert picture.startswith(b"\x89PNG")


def test_pictures_of_the_papers_page_can_be_drawn(tmp_path):
    page = Path(__file__).parents[1] / "doc" / "papers.rst"
    names = re.findall(r"^\.\. image:: .*/(.+)$", page.read_text(), re.MULTILINE)
    rows = store.read(runner.RESULTS / "curves.csv")
    assert {path.name for path in pictures.draw(rows, tmp_path)} == set(names)
    assert all((tmp_path / name).stat().st_size for name in names)


def test_time_to_converge_is_a_ratio(tmp_path):
    def course(method, settings, seconds):
        key = {"data": "mnist", "method": method, "seed": 0, "settings": settings}
        return [
            {
                **{**key, "epoch": epoch, "acc": acc, "steps": 5 * seconds * epoch**2},
                "cluster_seconds": seconds * epoch,
            }
            for epoch, acc in enumerate([0.5, 0.89, 0.95, 0.96])
        ]

    rows = course("IDCL", "", 3) + course("IDCL, no curriculum", "pacing='none'", 4)
    write(tmp_path, idcl_convergence_time, rows)
    page = "\n".join(render.page(tmp_path))
    # 3 / 4, the published ratio, and the third row's steps: it has 98 % of the gain
    assert "     - 0.75\n     - 0.86\n     - 60\n     - 0.75\n" in page


def test_numbers_of_clusters_are_searched_and_shown(tmp_path):
    X, y = make_blobs(300, centers=3, n_features=6, random_state=0)
    samples = Samples("digits", X, 3, None)
    method = number_of_clusters.TABLE.methods["auto"]
    (found,) = number_of_clusters.measure(method, samples, y, 0)
    assert found["n_classes"] == 3
    assert 2 <= found["found"] <= 5
    assert found["scores"].startswith("2:")
    rows = [
        {"data": "digits", "method": "auto", "seed": seed, "n_classes": 10} | values
        for seed, values in enumerate(
            [{"found": 9, "wall_s": 5}, {"found": 13, "wall_s": 7}]
        )
    ]
    write(tmp_path, number_of_clusters, rows)
    page = "\n".join(render.page(tmp_path))
    assert "     - 10\n     - 9, 13\n     - 1 of 2\n" in page
