"""What a feature adds to the machine that draws random logs."""

from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st

from farandole.eventstore import Record
from farandole.projections.fold import Fold, Pair
from farandole.schemas.envelope import Header, Kind


class Feature:
    """Mixed into the machine: each name in ``WEIGHTS`` is a method of it, which appends something drawn.

    Attributes:
        SETTINGS: values that its settings take, in a genesis and afterwards.
        CONTRACT: strategies of further fields of contracts.
    """

    WEIGHTS: ClassVar[dict[str, int]] = {}
    SETTINGS: ClassVar[dict[str, list[int]]] = {}
    CONTRACT: ClassVar[dict[str, st.SearchStrategy[Any]]] = {}

    if TYPE_CHECKING:
        fold: Fold
        now: int

        def put(self, *records: Record) -> None: ...
        def head(self, data: st.DataObject, kind: Kind, **more: Any) -> list[Header]: ...
        def draw_run(self, data: st.DataObject) -> bytes: ...
        def draw_pair(self, data: st.DataObject) -> tuple[bytes, Pair] | None: ...
