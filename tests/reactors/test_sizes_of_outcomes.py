"""An outcome knows the size that a store will count, so that it is refused before it is sent."""

from hypothesis import given
from hypothesis import strategies as st

from farandole.projections.fold import Pair
from farandole.reactors.scribe import Scribe
from farandole.reactors.written import size_of
from farandole.schemas import Event, EventTypes


class Made(Event):
    text: str


TYPES = EventTypes("dance", [Made])


@given(st.lists(st.text(max_size=300), max_size=5), st.binary(min_size=1, max_size=40), st.binary(max_size=33))
def test_the_size_of_an_outcome_is_that_of_its_records(texts: list[str], run: bytes, generation: bytes) -> None:
    pair = Pair(b"t" * 32, b"make", generation, (0,), (b"dance.Made",), 0)
    written = Scribe("dance", "dance", TYPES, lambda: 0).outcome(run, pair, [Made(text=text) for text in texts])
    sizes = [size_of(record) for record in written.records]
    assert (written.size, written.largest) == (sum(sizes), max(sizes))
