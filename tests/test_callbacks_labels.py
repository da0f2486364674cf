"""LabelRecorder: the clusters at each refresh, as the fit itself has them."""

import functools
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from deepdensity.callbacks import LabelRecorder

from .common import BOTH, decs, digit_vectors, idcl

X, _ = digit_vectors(150)


def shares_changed(labels):
    """Share of the labels that change from each record to the next."""
    return [np.mean(old != new) for old, new in zip(labels, labels[1:])]


def noted_changes(model):
    rows = [row for row in model.history_ if row["phase"] == "cluster"]
    return [row["label_change"] for row in rows if "label_change" in row]


def test_idcl_is_recorded_where_its_cores_are_refreshed():
    recorder = LabelRecorder()
    model = idcl(
        callbacks=[recorder], max_epochs=6, refresh_interval=4, tol=0, lr=1e-2
    ).fit(X)
    assert list(recorder.labels_) == [0, 2, 4]  # an epoch has two steps
    labels = list(recorder.labels_.values())
    assert all(clusters.shape == (150,) for clusters in labels)
    assert noted_changes(model)[1:] == shares_changed(labels)
    assert max(shares_changed(labels)) > 0


def test_decs_is_recorded_before_each_epoch():
    recorder = LabelRecorder()
    model = decs(callbacks=[recorder], tol=0).set_params(n_clusters=4).fit(X)
    assert list(recorder.labels_) == [0, 1, 2]
    assert_array_equal(recorder.labels_[0], model.pretrain_labels_)
    course = [*recorder.labels_.values(), model.labels_]
    assert noted_changes(model) == shares_changed(course)
    assert max(shares_changed(course)) > 0


@pytest.mark.parametrize("short", [functools.partial(idcl, core_fraction=None), decs])
def test_where_nothing_moves_any_more_the_last_record_is_the_end(short):
    recorder = LabelRecorder()
    model = short(callbacks=[recorder], lr=1e-9, tol=0).fit(X)
    *_, last = recorder.labels_.values()
    assert_array_equal(last, model.labels_)


@pytest.mark.parametrize("short", BOTH)
def test_recording_changes_nothing_in_a_fit(short):
    recorded = short(callbacks=[LabelRecorder()]).fit(X)
    plain = short().fit(X)
    assert_array_equal(recorded.embedding_, plain.embedding_)
    assert_array_equal(recorded.labels_, plain.labels_)


def test_each_fit_and_batch_begins_anew():
    recorder = LabelRecorder()
    model = decs(callbacks=[recorder], tol=0).fit(X)
    model.partial_fit(X[:40])
    assert [len(labels) for labels in recorder.labels_.values()] == [40] * 10
    model.set_params(max_iter=0).fit(X[:100])
    assert recorder.labels_ == {}


def test_clones_fill_their_own():
    recorder = LabelRecorder()
    model = idcl(callbacks=[recorder])
    other = clone(model).fit(X)
    assert not hasattr(recorder, "labels_")
    assert len(other.callbacks[0].labels_) == 4
    third = clone(other)  # of a model that is fitted
    assert not hasattr(third.callbacks[0], "labels_")
    assert len(third.fit(X).callbacks[0].labels_) == 4


def test_it_goes_with_the_estimator_into_a_pickle():
    recorder = LabelRecorder()
    model = idcl(callbacks=[recorder]).fit(X)
    assert recorder._cores_ is None  # tensors of the device that trained
    copy = pickle.loads(pickle.dumps(model))
    assert_array_equal(copy.callbacks[0].labels_[0], recorder.labels_[0])
