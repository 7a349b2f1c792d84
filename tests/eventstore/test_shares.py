"""Partitions are dealt out evenly, with few moves, and without a leader."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from farandole.eventstore.shares import shares

NAMES = st.text("abcdef", min_size=1, max_size=2)
GROUPS = st.tuples(
    st.integers(1, 20), st.sets(NAMES, min_size=1, max_size=8), st.dictionaries(st.integers(0, 19), NAMES)
)


@given(GROUPS)
def test_everything_is_dealt_out_evenly(group: tuple[int, set[str], dict[int, str]]) -> None:
    partitions, members, owners = group
    due = shares(partitions, members, owners)
    assert due.keys() == set(range(partitions))
    counts = Counter(dict.fromkeys(members, 0)) + Counter()
    counts.update(due.values())
    sizes = [counts[name] for name in members]
    assert set(due.values()) <= members
    assert max(sizes) - min(sizes) <= 1


@given(GROUPS)
def test_nothing_moves_that_need_not(group: tuple[int, set[str], dict[int, str]]) -> None:
    partitions, members, owners = group
    due = shares(partitions, members, owners)
    assert shares(partitions, members, due) == due
    most = -(-partitions // len(members))
    for name in members:
        held = {p for p, owner in owners.items() if owner == name and p < partitions}
        kept = {p for p in held if due[p] == name}
        assert len(kept) >= min(len(held), partitions // len(members))
        assert len(kept) <= most


@given(GROUPS, st.randoms())
def test_members_that_act_one_by_one_come_to_rest(group: tuple[int, set[str], dict[int, str]], random: object) -> None:
    """Each gives back what is due to others, and takes what nobody has and is due to it: in any order, to the end."""
    partitions, members, owners = group
    owners = {p: owner for p, owner in owners.items() if owner in members and p < partitions}
    for _ in range(6):
        for name in sorted(members, key=lambda _: random.random()):  # type: ignore[attr-defined]
            due = shares(partitions, members, owners)
            for p in range(partitions):
                if owners.get(p) == name and due[p] != name:
                    del owners[p]
                elif p not in owners and due[p] == name:
                    owners[p] = name
    assert owners == shares(partitions, members, owners)
    assert owners.keys() == set(range(partitions))


def test_without_members_nobody_owns_anything() -> None:
    assert shares(4, [], {0: "gone"}) == {}
