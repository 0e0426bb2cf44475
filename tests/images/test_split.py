"""Splits: nothing leaks, every class keeps its share, and the same seed gives the same pictures everywhere."""

import contextlib
import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glauke.errors import DataError, UsageError
from glauke.images import Pack, Split, load_split, make_split, open_pack, save_split, split_kinds
from glauke.images.packing._duplicates import components


def pack_of(
    labels: list[int],
    *,
    parts: list[int] | None = None,
    part_names: tuple[str, ...] = ("train",),
    content: list[int] | None = None,
    groups: list[str | None] | None = None,
    classes: int | None = None,
    data: str = "pets",
    prefix: str = "",
) -> Pack:
    """A pack of blank pictures with these labels; equal `content` or group makes duplicates."""
    n = len(labels)
    count = classes or max(labels) + 1
    keys = [str(each).encode() for each in (content or range(n))]
    return Pack(
        folder=Path("nowhere"),
        images=np.zeros((n, 1, 1, 1), np.uint8),
        labels=np.array(labels, np.int64),
        parts=np.array(parts or [0] * n, np.int8),
        part_names=part_names,
        names=[f"{prefix}{i}.png" for i in range(n)],
        classes=tuple(f"c{i}" for i in range(count)),
        readable=tuple(f"class {i}" for i in range(count)),
        size=1,
        channels=1,
        mean=(0.0,),
        std=(1.0,),
        duplicates=components(keys, groups or [None] * n),
        findings=(),
        fingerprint=f"of {prefix}{n}",
        data=data,
        source_sha256=None,
    )


def leaks(pack: Pack, split: Split) -> set[int]:
    return set(pack.duplicates[split.train].tolist()) & set(pack.duplicates[split.val].tolist())


def held_out(pack: Pack, split: Split) -> list[int]:
    return np.bincount(pack.labels[split.val], minlength=len(pack.classes)).tolist()


def test_every_class_gives_its_rounded_share():
    pack = pack_of([0] * 10 + [1] * 7 + [2] * 2 + [3] * 500)
    split = make_split(pack, val_fraction=0.3)
    assert held_out(pack, split) == [3, 2, 1, 150]
    assert sorted([*split.train, *split.val]) == list(range(519))
    assert split.train.tolist() == sorted(split.train) and split.val.tolist() == sorted(split.val)
    assert (split.kind, split.seed, split.val_fraction, split.notes) == ("pooled", 0, 0.3, ())


@pytest.mark.parametrize(("fraction", "expected"), [(0.001, [1, 1]), (0.999, [9, 2]), (0.5, [5, 2]), (0.9, [9, 2])])
def test_both_sides_keep_at_least_one(fraction, expected):
    pack = pack_of([0] * 10 + [1] * 3)
    assert held_out(pack, make_split(pack, val_fraction=fraction)) == expected


def test_the_seed_alone_decides_and_never_a_generator(monkeypatch):
    pack = pack_of([i % 5 for i in range(200)])
    first = make_split(pack, seed=3)
    np.random.seed(1)
    again = make_split(pack, seed=3)
    assert (again.val.tolist(), again.fingerprint) == (first.val.tolist(), first.fingerprint)
    vals = [set(make_split(pack, seed=seed).val.tolist()) for seed in range(20)]
    chosen = Counter(i for val in vals for i in val)
    assert len({frozenset(val) for val in vals}) == 20
    assert len(chosen) > 190 and max(chosen.values()) < 16  # every picture's turn comes about 6 times in 20


def test_the_choice_is_written_in_stone():
    # Computed once: another order of hashing would give users other pictures for their old seeds.
    pack = pack_of([0] * 10 + [1] * 10)
    assert make_split(pack, seed=0).val.tolist() == STONE[0]
    assert make_split(pack, seed=1).val.tolist() == STONE[1]


STONE = {0: [1, 3, 7, 11, 17, 19], 1: [1, 5, 8, 12, 14, 15]}


def test_a_picture_stays_on_its_side_when_it_is_renumbered():
    whole = pack_of([0] * 20 + [1] * 20)
    order = list(range(40))[::-1]
    turned = dataclasses.replace(
        whole,
        labels=whole.labels[order],
        names=[whole.names[i] for i in order],
        duplicates=np.arange(40),
    )
    a, b = make_split(whole), make_split(turned)
    assert {whole.names[i] for i in a.val} == {turned.names[i] for i in b.val}


PARTED = {"parts": [0] * 12 + [1] * 6, "part_names": ("train", "val")}


def parted(**changes: object) -> Pack:
    return pack_of([i % 2 for i in range(18)], **{**PARTED, **changes})


def test_train_only_leaves_the_other_parts_alone():
    split = make_split(parted(), kind="train-only", val_fraction=0.5)
    assert sorted([*split.train, *split.val]) == list(range(12))
    assert held_out(parted(), split) == [3, 3]


def test_official_is_the_datas_own():
    split = make_split(parted(), kind="official", val_fraction=0.9, seed=7)
    assert split.train.tolist() == list(range(12)) and split.val.tolist() == list(range(12, 18))
    assert split.val_fraction == pytest.approx(6 / 18) and split.notes == ()


def test_official_takes_test_only_where_there_is_no_val():
    three = {"parts": [0] * 10 + [1] * 4 + [2] * 4, "part_names": ("train", "val", "test")}
    assert make_split(parted(**three), kind="official").val.tolist() == [10, 11, 12, 13]
    two = {"parts": [0] * 10 + [1] * 8, "part_names": ("train", "test")}
    assert make_split(parted(**two), kind="official").val.tolist() == list(range(10, 18))


def test_official_leaves_out_training_pictures_that_are_held_out_too():
    content = list(range(18))
    content[3], content[5] = content[12], content[17]
    pack = parted(content=content)
    split = make_split(pack, kind="official")
    assert split.val.tolist() == list(range(12, 18))
    assert split.train.tolist() == [0, 1, 2, 4, *range(6, 12)]
    assert split.notes == ("2 pictures of the training part are left out: the val part has them too",)


@pytest.mark.parametrize(
    ("pack", "default", "kinds"),
    [
        (pack_of([0, 0, 1, 1]), "pooled", ("pooled",)),
        (parted(), "official", ("pooled", "train-only", "official")),
        (parted(part_names=("train", "test")), "official", ("pooled", "train-only", "official")),
        (parted(data="tiny-imagenet"), "pooled", ("pooled", "train-only", "official")),
    ],
)
def test_the_default_is_official_where_there_is_one_but_for_tiny_imagenet(pack, default, kinds):
    assert make_split(pack).kind == default
    assert split_kinds(pack) == kinds


def test_what_the_data_does_not_offer_is_refused():
    for kind in ("train-only", "official"):
        with pytest.raises(UsageError, match="no official parts; choose pooled"):
            make_split(pack_of([0, 0, 1, 1]), kind=kind)
    with pytest.raises(UsageError, match="parts train, val; choose pooled or train-only or official"):
        make_split(parted(), kind="random")


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.3, 1.3, float("nan"), float("inf")])
def test_a_fraction_outside_is_refused(fraction):
    for kind in ("pooled", "official"):
        with pytest.raises(UsageError, match="between 0 and 1"):
            make_split(parted(), kind=kind, val_fraction=fraction)


@pytest.mark.parametrize(
    ("pack", "kind", "reason"),
    [
        (pack_of([0, 0, 1]), "pooled", "the class 'class 1' has fewer than two pictures"),
        (pack_of([0, 0, 1, 1], classes=4), "pooled", "the classes 'class 2', 'class 3' have fewer than two"),
        (pack_of([0, 0, 1, 1], content=[1, 2, 3, 3]), "pooled", "'class 1' has no pictures on the"),
        (pack_of([0, 0, 1, 1], groups=[None, None, "g", "g"]), "pooled", "'class 1' has no pictures on the"),
        (parted(classes=3), "official", "the class 'class 2' has no pictures on the training side"),
        (
            pack_of([0, 1, 0, 1, 0, 0], parts=[0, 0, 0, 0, 1, 1], part_names=("train", "val")),
            "official",
            "the class 'class 1' has no pictures on the held-out side",
        ),
    ],
)
def test_a_class_that_cannot_be_on_both_sides_is_named(pack, kind, reason):
    with pytest.raises(DataError, match=reason):
        make_split(pack, kind=kind)


def test_groups_stay_together_and_counts_stay_exact_where_singles_can_fill_up():
    labels = [i % 3 for i in range(90)]
    groups = [f"g{i % 7}" if i < 30 else None for i in range(90)]
    pack = pack_of(labels, groups=groups)
    for seed in range(10):
        split = make_split(pack, seed=seed, val_fraction=0.4)
        assert not leaks(pack, split)
        assert held_out(pack, split) == [12, 12, 12]


def test_groups_alone_come_close():
    # 60 patients of 1 to 9 pictures and nothing to fill up with.
    sizes = [1 + i * 7 % 9 for i in range(60)]
    groups = [f"p{p}" for p, size in enumerate(sizes) for _ in range(size)]
    labels = [p % 2 for p, size in enumerate(sizes) for _ in range(size)]
    pack = pack_of(labels, groups=groups)
    seen = set()
    for seed in range(10):
        split = make_split(pack, seed=seed)
        assert not leaks(pack, split)
        for held, count in zip(held_out(pack, split), np.bincount(labels).tolist(), strict=True):
            assert abs(held - 0.3 * count) <= 3
        seen.add(tuple(split.val.tolist()))
    assert len(seen) == 10


def test_classes_that_live_in_pairs_alone_are_on_both_sides():
    pack = pack_of([0, 0, 1, 1, 0, 0, 1, 1], content=[1, 1, 2, 2, 3, 3, 4, 4])
    for seed in range(20):
        split = make_split(pack, seed=seed)
        assert not leaks(pack, split) and all(0 < n < 4 for n in held_out(pack, split))


datasets_ = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 25), st.none() | st.integers(0, 8), st.integers(0, 1)),
    min_size=2,
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(
    rows=datasets_,
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(-5, 2**70),
    kind=st.sampled_from(["pooled", "train-only", "official"]),
)
def test_nothing_leaks_and_nothing_is_lost(rows, fraction, seed, kind):
    labels, content, groups, parts = (list(column) for column in zip(*rows, strict=True))
    pack = pack_of(
        labels,
        content=content,
        groups=[None if g is None else str(g) for g in groups],
        parts=parts,
        part_names=("train", "val"),
    )
    try:
        split = make_split(pack, kind=kind, val_fraction=fraction, seed=seed)
    except DataError as error:
        assert "class" in str(error)
        return
    both = [*split.train.tolist(), *split.val.tolist()]
    assert len(set(both)) == len(both)
    assert not leaks(pack, split)
    assert (
        set(pack.labels[split.train].tolist()) == set(pack.labels[split.val].tolist()) == set(range(len(pack.classes)))
    )
    if kind == "official":
        assert split.val.tolist() == np.flatnonzero(pack.parts == 1).tolist()
        left_out = set(np.flatnonzero(pack.parts == 0).tolist()) - set(split.train.tolist())
        assert {pack.duplicates[i] for i in left_out} <= set(pack.duplicates[split.val].tolist())
        return
    chosen = np.arange(len(rows)) if kind == "pooled" else np.flatnonzero(pack.parts == 0)
    assert sorted(both) == chosen.tolist()
    # Exact wherever the pictures that are tied to others fit on either side.
    counts = np.bincount(pack.labels[chosen], minlength=len(pack.classes))
    wanted = [min(max(round(n * fraction), 1), n - 1) for n in counts.tolist()]
    ids, sizes = np.unique(pack.duplicates[chosen], return_counts=True)
    tied = np.isin(pack.duplicates[chosen], ids[sizes > 1])
    bound = np.bincount(pack.labels[chosen][tied], minlength=len(counts))
    if all(b <= min(w, n - w) for b, w, n in zip(bound.tolist(), wanted, counts.tolist(), strict=True)):
        assert held_out(pack, split) == wanted


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.integers(1, 6), min_size=2, max_size=12), seed=st.integers(0, 99))
def test_a_class_of_two_components_or_more_is_never_refused(rows, seed):
    groups = [f"g{i}" for i, size in enumerate(rows) for _ in range(size)]
    pack = pack_of([0] * len(groups), groups=groups)
    split = make_split(pack, seed=seed)
    assert 0 < len(split.val) < len(groups) and not leaks(pack, split)


def test_a_split_comes_back_as_it_was(tmp_path):
    pack = parted(content=[5, *range(1, 17), 5])
    for kind in ("pooled", "train-only", "official"):
        split = make_split(pack, kind=kind, seed=2**80)
        save_split(split, tmp_path / "split.npz")
        back = load_split(tmp_path / "split.npz", pack)
        for field in dataclasses.fields(Split):
            a, b = getattr(split, field.name), getattr(back, field.name)
            assert np.array_equal(a, b) and type(a) is type(b), field.name
    first = (tmp_path / "split.npz").read_bytes()
    save_split(split, tmp_path / "split.npz")
    assert (tmp_path / "split.npz").read_bytes() == first


def test_another_packs_split_is_refused(tmp_path):
    save_split(make_split(pack_of([0, 0, 1, 1])), tmp_path / "split.npz")
    with pytest.raises(DataError, match="damaged or belongs to other pictures"):
        load_split(tmp_path / "split.npz", pack_of([0, 0, 1, 1], prefix="other"))


def test_a_damaged_split_is_refused(tmp_path):
    pack = pack_of([0] * 30 + [1] * 30)
    path = tmp_path / "split.npz"
    save_split(make_split(pack), path)
    whole = path.read_bytes()
    expected = load_split(path, pack).fingerprint
    rng = np.random.default_rng(0)
    for place in range(0, len(whole), 7):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        with contextlib.suppress(DataError):
            assert load_split(path, pack).fingerprint == expected  # in what a zip says twice
    for cut in (0, 1, 100, len(whole) - 5):
        path.write_bytes(whole[:cut])
        with pytest.raises(DataError, match="not a split"):
            load_split(path, pack)
    with pytest.raises(DataError, match="cannot be read"):
        load_split(tmp_path / "absent.npz", pack)


def test_a_split_with_pickled_or_strange_content_is_refused(tmp_path):
    pack = pack_of([0, 0, 1, 1])
    split = make_split(pack)
    fields = {field.name: np.array(getattr(split, field.name)) for field in dataclasses.fields(Split)}
    for change in (
        {"train": np.array([{}], dtype=object)},
        {"train": np.array([0.5])},
        {"train": np.array([[0, 1]])},
        {"seed": np.array("many")},
        {"val": np.array(["0"])},
    ):
        np.savez(tmp_path / "split.npz", **{**fields, "notes": np.array([], dtype=str), **change})
        with pytest.raises(DataError):
            load_split(tmp_path / "split.npz", pack)


def test_a_split_that_leaks_is_refused_even_if_its_fingerprint_holds(tmp_path, monkeypatch):
    pack = pack_of([0, 0, 1, 1])
    split = make_split(pack)
    tied = dataclasses.replace(pack, duplicates=np.zeros(4, np.int64))
    save_split(split, tmp_path / "split.npz")
    with pytest.raises(DataError, match="overlap"):
        load_split(tmp_path / "split.npz", tied)


def test_the_split_of_a_real_pack_is_the_same_from_every_container(cache, tmp_path, lay, archive, classes_of):
    tree = classes_of(["a", "b"], 10)
    packs = [
        open_pack(str(lay(tmp_path / "x", tree))),
        open_pack(str(archive(tmp_path / "x.zip", dict(reversed(tree.items()))))),
    ]
    splits = [make_split(pack, seed=4) for pack in packs]
    assert splits[0].fingerprint == splits[1].fingerprint
    save_split(splits[0], tmp_path / "split.npz")
    assert load_split(tmp_path / "split.npz", packs[1]).val.tolist() == splits[1].val.tolist()
