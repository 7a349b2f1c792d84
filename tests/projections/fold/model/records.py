"""Section 2 of the protocol: what a record says, and section 6: which records belong together."""

from dataclasses import dataclass
from typing import Any

from farandole.eventstore import Stored

KINDS = {
    1: "start", 2: "outcome", 3: "failure", 4: "signal", 5: "answer", 6: "cancel", 7: "pause", 8: "resume", 9: "retry",
    10: "owe", 11: "expire", 12: "claim", 13: "lost", 14: "progress", 15: "substep", 16: "timer", 17: "expiry",
    18: "delivered", 19: "child_ended", 20: "child_failed", 21: "tick", 32: "genesis", 33: "setting", 34: "version",
    35: "contract", 36: "policy", 37: "released", 38: "schedule",
}  # fmt: skip
COMMANDS = {"signal", "answer", "cancel", "pause", "resume", "retry", "owe"}
OF_OPEN_RUNS = {"signal", "answer", "owe", "timer", "expiry", "child_ended", "child_failed"}
"""What an ending run does not take."""


@dataclass
class Head:
    kind: int
    flags: int
    append: bytes
    index: int
    count: int
    attempt: int
    not_after: int
    delay: int
    causation: bytes
    reactor: bytes
    generation: bytes
    branch: bytes
    extra: bytes
    id: bytes
    type: bytes


def read(record: Stored) -> Head | None:
    """Section 2: the headers, or None if they do not fit the grammar."""
    headers = dict(record.headers)
    if not {"ce_id", "ce_type", "ce_source", "fa"} <= headers.keys():
        return None
    id, type, fa = headers["ce_id"], headers["ce_type"], headers["fa"]
    if not id or not type or len(fa) < 71 or fa[0] != 1:
        return None

    def number(at: int, size: int, signed: bool = False) -> int:
        return int.from_bytes(fa[at : at + size], "big", signed=signed)

    lengths = [number(64, 1), number(65, 1), number(66, 1), number(67, 2), number(69, 2)]
    if 71 + sum(lengths) != len(fa):
        return None
    parts, at = [], 71
    for length in lengths:
        parts.append(fa[at : at + length])
        at += length
    kind, index, count = number(1, 1), number(20, 4), number(24, 4)
    if not (1 <= kind <= 21 or 32 <= kind <= 37) or not (index < count or index == count == 0):
        return None
    if id.startswith(b"x") is (kind in (2, 3)):
        return None
    return Head(
        kind, number(2, 2), fa[4:20], index, count, number(28, 4), number(40, 8, True), number(48, 8, True),
        *parts, id, type,
    )  # fmt: skip


def frames(received: list[tuple[Head, Any]]) -> dict[tuple[bytes, int], dict[int, Any]]:
    """What is unfinished after these records, oldest first: section 6, framing."""
    kept: dict[tuple[bytes, int], dict[int, Any]] = {}
    for head, part in received:
        name = (head.append, head.count)
        if name not in kept:
            kept[name] = {}
            if len(kept) > 4:
                del kept[next(iter(kept))]
        if head.index not in kept[name]:
            kept[name][head.index] = part
        if len(kept[name]) == head.count:
            del kept[name]
    return kept


def whole(received: list[tuple[Head, Any]], head: Head, part: Any) -> list[Any] | None:
    """The parts of the append that this record makes whole, or None."""
    if head.count <= 1:
        return [part]
    held = frames(received).get((head.append, head.count), {})
    together = {head.index: part, **held}
    if len(together) < head.count:
        return None
    return [together[index] for index in range(head.count)]
