import numpy as np
import pytest

from glauke.boxes.clustering import _silhouette
from glauke.boxes.clustering._silhouette import mean_silhouette, mean_silhouettes


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_by_hand():
    points = np.array([[0.0], [1.0], [5.0]])
    # 0: own 1, other 5; 1: own 1, other 4; 5 is alone.
    assert mean_silhouette(points, assignment=np.array([0, 0, 1])) == pytest.approx((4 / 5 + 3 / 4 + 0) / 3)


@pytest.mark.parametrize("columns", [1, 2])
def test_agrees_with_scikit_learn(rng, columns):
    metrics = pytest.importorskip("sklearn.metrics")
    points, assignment = rng.integers(0, 30, (150, columns)) / 7.0, rng.integers(0, 4, 150)

    assert mean_silhouette(points, assignment=assignment) == pytest.approx(metrics.silhouette_score(points, assignment))


def test_overlap_is_a_distance_too(rng):
    metrics = pytest.importorskip("sklearn.metrics")
    points, assignment = rng.uniform(1, 9, (60, 2)), rng.integers(0, 3, 60)
    shared = np.minimum(points[:, None], points[None]).prod(axis=2)
    areas = points.prod(axis=1)
    apart = 1 - shared / (areas[:, None] + areas - shared)
    np.fill_diagonal(apart, 0.0)

    found = mean_silhouette(points, assignment=assignment, distance="iou")

    assert found == pytest.approx(metrics.silhouette_score(apart, assignment, metric="precomputed"))


def test_weights_are_repetitions(rng):
    points, times = rng.uniform(size=(40, 2)), rng.integers(0, 5, 40)
    assignment = rng.integers(0, 3, 40)
    repeated = mean_silhouette(np.repeat(points, times, axis=0), assignment=np.repeat(assignment, times))

    assert mean_silhouette(points, assignment=assignment, weights=times.astype(float)) == pytest.approx(repeated)


def test_one_cluster_and_nothing_but_clusters_say_nothing():
    points = np.array([[0.0], [1.0], [5.0]])
    assignments = [np.zeros(3, dtype=np.int64), np.arange(3), np.array([0, 1, 1])]

    one, all_apart, two = mean_silhouettes(points, assignments=assignments)

    assert one is None and all_apart is None and two is not None


def test_points_on_top_of_each_other():
    points = np.ones((4, 1))

    assert mean_silhouette(points, assignment=np.array([0, 0, 1, 1])) == 0.0


def test_many_points_are_sampled_the_same_way_in_any_order(rng, monkeypatch):
    points = np.concatenate([rng.normal(0, 1, (1500, 2)), rng.normal(6, 1, (1500, 2))])
    assignment = np.repeat([0, 1], 1500)
    found = mean_silhouette(points, assignment=assignment)
    order = rng.permutation(3000)

    assert mean_silhouette(points[order], assignment=assignment[order]) == found
    monkeypatch.setattr(_silhouette, "SAMPLE", 3000)
    assert mean_silhouette(points, assignment=assignment) == pytest.approx(found, abs=0.02)


def test_a_sample_follows_the_weights(rng, monkeypatch):
    monkeypatch.setattr(_silhouette, "SAMPLE", 100)
    points, weights = rng.uniform(size=(500, 1)), rng.integers(1, 200, 500).astype(float)
    assignment = (points[:, 0] > 0.5).astype(np.int64)
    found = mean_silhouette(points, assignment=assignment, weights=weights)
    monkeypatch.setattr(_silhouette, "SAMPLE", 500)

    assert found == pytest.approx(mean_silhouette(points, assignment=assignment, weights=weights), abs=0.05)
