"""Which pictures belong together, and what is said about those that are the same."""

from hypothesis import given
from hypothesis import strategies as st

from glauke.images.packing._duplicates import components, same_content


def test_links_reach_over_many_steps():
    content = [b"1", b"2", b"3", b"3", b"5", b"6"]
    groups = ["x", "x", None, "y", "y", None]
    assert components(content, groups).tolist() == [0, 0, 2, 2, 2, 5]
    assert components(content, [None, "x", "x", "y", "y", None]).tolist() == [0, 1, 1, 1, 1, 5]
    assert components([], []).tolist() == []


def test_a_group_named_like_a_content_is_no_link():
    assert components([b"1", b"2"], ["2", None]).tolist() == [0, 1]


@given(st.lists(st.tuples(st.integers(0, 12), st.none() | st.integers(0, 5)), max_size=30))
def test_components_are_the_finest_parting_that_keeps_links_together(rows):
    content = [bytes([c]) for c, _ in rows]
    groups = [None if g is None else str(g) for _, g in rows]
    ids = components(content, groups).tolist()
    # The obvious way: spread the smallest index along links until nothing moves.
    slow = list(range(len(rows)))
    moved = True
    while moved:
        moved = False
        for i in range(len(rows)):
            for j in range(len(rows)):
                linked = content[i] == content[j] or (groups[i] is not None and groups[i] == groups[j])
                if linked and slow[j] > slow[i]:
                    slow[j], moved = slow[i], True
    assert ids == slow


def test_same_pictures_are_told_with_their_names():
    content = [b"1", b"2", b"1", b"2", b"3"] + [b"9"] * 6
    names = ["a", "b", "c", "d", "e", "1", "2", "3", "4", "5", "6"]
    classes = ["cat", "cat", "cat", "dog", "dog"] + ["dog"] * 6
    told = list(same_content(content, names, classes))
    assert [(each.rule, each.severity, each.files) for each in told] == [
        ("same-content", "note", ("a", "c")),
        ("same-content-other-label", "warning", ("b", "d")),
        ("same-content", "note", ("1", "2", "3", "4", "5", "6")),
    ]
    assert told[1].message == "the same picture under different labels: b (cat), d (dog)"
    assert told[2].message.endswith("1, 2, 3, 4 and 2 more")
