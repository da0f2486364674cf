"""The choice among several starts: what is tried, how it is scored, what is kept."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.metrics import adjusted_rand_score

from deepdensity.assignment import cluster_means
from deepdensity.starts import best_trial
from deepdensity.starts.split_merge import Repair
from deepdensity.starts.trials import try_start

from .common import source_of, trainer
from .trial_data import (
    N_CLUSTERS,
    N_STEPS,
    Exploding,
    blobs,
    pretrained,
    start_of,
    wrong_labels,
)


def test_the_right_start_scores_more_than_a_wrong_one():
    run, y = pretrained()
    starts = {
        "wrong": start_of(run, wrong_labels(y)),
        "right": start_of(run, y),
        "noise": start_of(run, np.random.default_rng(0).integers(4, size=300)),
    }
    best, scores = best_trial.best_trial(
        run, starts, N_CLUSTERS, run.embed(), N_STEPS, 0
    )
    assert best.name.split(",")[0] == "right"
    assert list(scores)[:3] == list(starts)
    assert best.score == scores[best.name] >= 0.98 * max(scores.values())
    assert adjusted_rand_score(y, best.labels) > 0.98


def test_the_best_start_is_repaired_where_that_scores_more():
    run, y = pretrained()
    starts = {"wrong": start_of(run, wrong_labels(y))}
    best, scores = best_trial.best_trial(
        run, starts, N_CLUSTERS, run.embed(), N_STEPS, 0
    )
    assert list(scores)[:2] == ["wrong", "repair 1"]
    assert best.name.startswith("repair")
    assert best.score >= 0.98 * max(scores.values()) > scores["wrong"]
    assert adjusted_rand_score(y, best.labels) > 0.98


def test_repairs_in_vain_end_and_are_not_taken(monkeypatch):
    run, y = pretrained()
    given = []

    def repair(graph, labels, k, spared):
        given.append(list(spared))
        return Repair(labels * 0, np.arange(300) == len(given))

    monkeypatch.setattr(best_trial, "split_and_merge", repair)
    best, scores = best_trial.best_trial(
        run, {"right": start_of(run, y)}, N_CLUSTERS, run.embed(), 5, 0
    )
    assert list(scores) == ["right", "repair 1", "repair 2", "right, uneven"]
    assert best.name.startswith("right")
    # what has been cut is not to be cut again
    assert [[int(cut.argmax()) for cut in spared] for spared in given] == [[], [1]]
    monkeypatch.setattr(best_trial, "PATIENCE", 9)
    _, scores = best_trial.best_trial(
        run, {"right": start_of(run, y)}, N_CLUSTERS, run.embed(), 5, 0
    )
    assert len(scores) == 1 + best_trial.MAX_REPAIRS + 1


def test_repairs_go_on_from_the_last_and_by_the_views(monkeypatch):
    run, y = pretrained()
    given, trained, scores = [], [], iter([0.9, 0.5, 0.6, 0.4, 0.3])

    def repair(graph, labels, k, spared):
        given.append((graph, labels))
        other = np.random.default_rng(len(given)).permutation(labels)
        return Repair(other, np.arange(300) == len(given))

    def spy(*args, **kwargs):
        trained.append(try_start(*args, **kwargs)._replace(score=next(scores)))
        return trained[-1]

    monkeypatch.setattr(best_trial, "split_and_merge", repair)
    monkeypatch.setattr(best_trial, "try_start", spy)
    views = run.embed() + 3
    best_trial.best_trial(run, {"right": start_of(run, y)}, N_CLUSTERS, views, 2, 0)
    assert_array_equal(given[0][0].points, views)
    assert_array_equal(given[0][1], trained[0].labels)
    assert_array_equal(given[1][1], trained[1].labels)  # of a worse one
    assert not np.array_equal(trained[0].labels, trained[1].labels)


def parts_of(y):
    """Each cluster in two."""
    return 2 * y + np.arange(len(y)) % 2


def test_parts_are_trained_merged_and_tried_from_the_network_they_have_trained(
    monkeypatch,
):
    run, y = pretrained()
    calls = []

    def spy(base, name, centres, labels, *args, **kwargs):
        trial = try_start(base, name, centres, labels, *args, **kwargs)
        calls.append((base, len(centres), labels, trial))
        return trial

    monkeypatch.setattr(best_trial, "try_start", spy)
    parts = cluster_means(run.embed(), parts_of(y), 8), parts_of(y)
    starts = {"wrong": start_of(run, wrong_labels(y)), "parts 1": parts}
    best, scores = best_trial.best_trial(
        run, starts, N_CLUSTERS, run.embed(), N_STEPS, 0
    )
    assert [k for _, k, _, _ in calls[:3]] == [4, 8, 4]
    assert list(scores)[:2] == ["wrong", "parts 1"]
    assert scores["parts 1"] == calls[2][3].score > scores["wrong"]
    before, merged = calls[1][3], calls[2]
    assert merged[0] is not run
    state = merged[0].module.state_dict()
    assert all(torch.equal(before.state[key], state[key]) for key in state)
    assert adjusted_rand_score(y, merged[2]) > 0.98
    assert best.labels.max() == 3 and adjusted_rand_score(y, best.labels) > 0.98


def test_parts_are_merged_by_what_views_share_about_them(monkeypatch):
    run, y = pretrained()
    given, merge = [], best_trial.merge_parts

    def spy(counts, n_clusters):
        given.append((counts, n_clusters))
        return merge(counts, n_clusters)

    monkeypatch.setattr(best_trial, "merge_parts", spy)
    views = [np.array([0, 1, 2, 2]), np.array([0, 1, 2, 1]), np.array([1, 1, 2, 2])]
    parts = try_start(run, "a", *start_of(run, y), 2, 0)._replace(view_labels=views)
    clusters = best_trial.clusters_of(parts, 5, 3)
    expected = np.zeros((5, 5))
    for one in range(3):
        for other in range(3):
            for a, b in zip(views[one], views[other]):
                expected[a, b] += one != other
    assert_array_equal(given[0][0], expected)
    assert given[0][1] == 3
    merged, score = merge(expected, 3)
    assert_array_equal(clusters.labels, merged[parts.labels])
    assert clusters.score == score
    assert clusters.state is parts.state


def test_of_merged_parts_those_are_tried_of_which_views_share_most(monkeypatch):
    run, y = pretrained()
    worth = {"parts 1": 0.3, "parts 2": 0.9, "parts 3": 0.1, "parts 4": 0.5}

    def scored(parts, n_parts, n_clusters):
        return parts._replace(score=worth[parts.name], labels=parts.labels // 2)

    monkeypatch.setattr(best_trial, "clusters_of", scored)
    random = np.random.default_rng(0)
    starts = {"wrong": start_of(run, wrong_labels(y))}
    for name in worth:
        labels = random.permutation(parts_of(y))
        starts[name] = cluster_means(run.embed(), labels, 8), labels
    _, scores = best_trial.best_trial(run, starts, N_CLUSTERS, run.embed(), 5, 0)
    assert list(scores)[:4] == ["wrong", "parts 2", "parts 4", "parts 1"]
    assert "parts 3" not in scores


def test_parts_that_diverge_are_left_out(monkeypatch):
    run, y = pretrained()

    def diverging(base, name, centres, *args, **kwargs):
        trial = try_start(base, name, centres, *args, **kwargs)
        if len(centres) == 8:
            trial = trial._replace(score=-np.inf, view_labels=[])
        return trial

    monkeypatch.setattr(best_trial, "try_start", diverging)
    parts = cluster_means(run.embed(), parts_of(y), 8), parts_of(y)
    starts = {"right": start_of(run, y), "parts 1": parts}
    _, scores = best_trial.best_trial(run, starts, N_CLUSTERS, run.embed(), 5, 0)
    assert "right" in scores and "parts 1" not in scores


@pytest.mark.parametrize("worth", [0.9, 0.97, 0.99, 1.1])
def test_the_best_start_is_tried_by_the_smaller_weight_and_counts_unless_it_is_worse(
    monkeypatch, worth
):
    run, y = pretrained()
    weights = []

    def spy(*args, **kwargs):
        trial = try_start(*args, **kwargs)
        weights.append((trial.name, trial.balance))
        score = 1 / (len(weights) + 1) if trial.balance == 1.0 else worth / 2
        return trial._replace(score=score)

    monkeypatch.setattr(best_trial, "try_start", spy)
    starts = {"right": start_of(run, y), "wrong": start_of(run, wrong_labels(y))}
    best, scores = best_trial.best_trial(run, starts, N_CLUSTERS, run.embed(), 2, 0)
    *before, last = weights
    assert {balance for _, balance in before} == {1.0}
    assert last == ("right, uneven", 0.5)
    assert scores["right"] == 0.5
    assert best.name == ("right, uneven" if worth > 0.98 else "right")
    assert best.balance == (0.5 if worth > 0.98 else 1.0)


def test_equal_starts_are_tried_once():
    run, y = pretrained()
    renamed = (y + 1) % 4
    nearly = y.copy()
    nearly[0] = (nearly[0] + 1) % 4
    starts = {
        name: start_of(run, labels)
        for name, labels in [
            ("first", y),
            ("renamed", renamed),
            ("nearly", nearly),
            ("wrong", wrong_labels(y)),
        ]
    }
    _, scores = best_trial.best_trial(run, starts, N_CLUSTERS, run.embed(), 5, 0)
    assert list(scores)[:2] == ["first", "wrong"]
    assert not {"renamed", "nearly"} & scores.keys()


def test_where_all_trials_diverge_the_first_start_is_taken():
    X, y = blobs()
    run = trainer(source_of(X), Exploding())
    starts = {"a": start_of(run, y), "b": start_of(run, wrong_labels(y))}
    best, scores = best_trial.best_trial(run, starts, N_CLUSTERS, run.embed(), 5, 0)
    assert scores.keys() >= {"a", "b"}
    assert set(scores.values()) == {-np.inf}
    assert_array_equal(best.labels, y)
