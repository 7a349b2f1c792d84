"""Headers mean the same in whatever order they stand, and whatever stands among them: the last of a name counts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from farandole.schemas.envelope import Envelope, Header, Kind, pack, unpack
from farandole.schemas.errors import UnreadableHeaders

PACKED = pack(
    kind=Kind.OUTCOME, id=b"e.1", type=b"c.Went", source=b"farandole/s", append=bytes(range(16)), sent=5, count=2,
    index=1, causation=b"xstart", reactor=b"go", generation=b"xagain",
)  # fmt: skip
OTHERS = [
    *pack(kind=Kind.SIGNAL, id=b"xother", type=b"c.Came", source=b"o", append=bytes(16), sent=6),
    ("tracestate", b"t"),
]


def read(headers: list[Header]) -> Envelope | None:
    try:
        return unpack(headers)
    except UnreadableHeaders:
        return None


def by_name(headers: list[Header]) -> Envelope | None:
    """The same headers, each name once and in another order, so that they must be looked for."""
    return read(sorted(dict(headers).items()))


@settings(deadline=None)
@given(st.lists(st.sampled_from([*PACKED, *OTHERS]), max_size=8), st.permutations(PACKED))
def test_headers_are_found_by_their_names(some: list[Header], packed: list[Header]) -> None:
    assert read(packed) == unpack(PACKED)
    assert read(some) == by_name(some)
    assert read(packed + some) == by_name(packed + some)


@settings(deadline=None)
@given(st.lists(st.sampled_from([name for name, _ in PACKED]), min_size=5, max_size=5))
def test_five_headers_of_other_names_are_not_taken_for_those_that_are_packed(names: list[str]) -> None:
    headers = [(name, value) for name, (_, value) in zip(names, PACKED, strict=True)]
    assert read(headers) == by_name(headers)
