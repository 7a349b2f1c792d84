"""What a checkpoint is made of, as Avro: the state of the partition, then one record for each open run.

Fields are named as the attributes that they hold. What may be absent is a list of none or one. Whoever gives the fold's
state another attribute adds its field here: then checkpoints have another `FORMAT`, and those of before are passed over. A
log whose beginning was archived cannot do without them: once there are such logs, earlier forms must stay readable.
"""

import json
from hashlib import blake2b
from io import BytesIO
from typing import Any, Final

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from farandole.schemas.system import SystemSchema

Fields = dict[str, Any]


def _record(name: str, /, **fields: Any) -> Fields:
    return {"type": "record", "name": name, "fields": [{"name": n, "type": t} for n, t in fields.items()]}


def _list(items: Any) -> Fields:
    return {"type": "array", "items": items}


_NAMES: Final = _list("bytes")
_OFFSETS: Final = _list("long")

FACT: Final = _record(
    "Fact",
    id="bytes",
    type="bytes",
    offset="long",
    flags="long",
    hops="long",
    branch="int",
    item=_list(_record("Item", delay="long", not_after="long", extra="bytes", types="bytes")),
)
_FRAME: Final = _record("Frame", append="bytes", count="int", parts=_list(_record("Part", index="int", fact=FACT)))
_WORKING: Final = _record(
    "Working",
    holder="bytes",
    until="long",
    lost="long",
    once=_list(_record("Once", name="bytes", offset="long")),
)
PAIR: Final = _record(
    "Pair",
    trigger="bytes",
    reactor="bytes",
    generation="bytes",
    inputs=_OFFSETS,
    types=_NAMES,
    since="long",
    attempts="long",
    forgiven="long",
    due="long",
    parked="bytes",
    hops="long",
    of_failure="boolean",
    unfinished=_list(_FRAME),
    at="long",
    branch="int",
    work=_list(_WORKING),
)
_JOIN: Final = _record("Join", reactor="bytes", queues=_list(_list("Fact")))
_LATEST: Final = _record("Latest", type="bytes", fact="Fact")
_LAST: Final = _record("Last", type="bytes", at="long", offset="long")
BRANCH: Final = _record(
    "Branch",
    fanout="int",
    index="int",
    offset="long",
    type="bytes",
    open="int",
    forks="boolean",
    joins=_list("Join"),
    latest=_list("Latest"),
    last=_list("Last"),
)
_GIFT: Final = _record("Gift", index="int", offsets=_OFFSETS, types=_NAMES, hops="long")
GATHERING: Final = _record(
    "Gathering",
    reactor="bytes",
    events=_NAMES,
    failures=_list(_NAMES),
    got=_list(_GIFT),
    settled="int",
    need="int",
    due="long",
)
FANOUT: Final = _record(
    "FanOut",
    id="bytes",
    types=_NAMES,
    width="int",
    inputs=_OFFSETS,
    hops="long",
    branch="int",
    branches=_list("int"),
    live="int",
    gatherings=_list(GATHERING),
)
TIMER: Final = _record(
    "Timer",
    id="bytes",
    type="bytes",
    offset="long",
    due="long",
    flags="long",
    hops="long",
    branch="int",
    unless=_NAMES,
    decision="bytes",
)
DECISION: Final = _record(
    "Decision",
    id="bytes",
    offset="long",
    answers=_NAMES,
    quorum="int",
    hash="bytes",
    hops="long",
    branch="int",
    votes=_list(_record("Vote", by="bytes", type="bytes")),
    otherwise=_list("Timer"),
    shared="boolean",
)
CHILD: Final = _record(
    "Child",
    id="bytes",
    type="bytes",
    offset="long",
    to="bytes",
    key="bytes",
    hops="long",
    branch="int",
    detach="boolean",
)
MESSAGE: Final = _record(
    "Message",
    id="bytes",
    n="int",
    kind="int",
    to="bytes",
    key="bytes",
    offset="long",
    since="long",
    flags="int",
    name="bytes",
)
PARENT: Final = _record(
    "Parent",
    choreography="bytes",
    key="bytes",
    child="bytes",
    offset="long",
    depth="int",
    of_schedule="boolean",
    detached="boolean",
)
UNDO: Final = _record("Undo", outcome="bytes", reactor="bytes", inputs=_OFFSETS, types=_NAMES, hops="long")
PENDING: Final = _record(
    "Pending",
    timers=_list(TIMER),
    decisions=_list(DECISION),
    children=_list(CHILD),
    messages=_list(MESSAGE),
    fanouts=_list("int"),
    lacking=_list(_record("Lacking", reactor="bytes", branches=_list("int"))),
    held=_list(_record("Held", fanout="int", around=_NAMES, branches=_list("int"))),
    latest=_list(_LATEST),
    last=_list(_LAST),
    stack=_list(UNDO),
    parent=_list(PARENT),
    deadline="long",
    undo="boolean",
    told="int",
)
RUN: Final = _record(
    "Run",
    id="bytes",
    start="bytes",
    offset="long",
    state="int",
    result="int",
    end="bytes",
    result_offset="long",
    touched="long",
    owed=_list(PAIR),
    joins=_list(_JOIN),
    kept=_list("Fact"),
    unserved="long",
    paused="boolean",
    pending=_list(PENDING),
    branches=_list(BRANCH),
    fanouts=_list(FANOUT),
)
SCHEDULE: Final = _record(
    "Schedule",
    name="bytes",
    last="long",
    children=_list(CHILD),
    messages=_list(MESSAGE),
    waiting=_list(_record("Waiting", tick="long", id="bytes", offset="long")),
)
PARTITION: Final = _record(
    "Partition",
    partition="int",
    partitions="int",
    position="long",
    log_time="long",
    digest="bytes",
    version="int",
    log_id="string",
    made_of="int",
    born="long",
    settings={"type": "map", "values": "long"},
    settling="boolean",
    contracts=_NAMES,
    ever=_list(_record("Ever", reactor="bytes", ids=_list("string"))),
    named=_NAMES,
    commands=_list(_record("Command", not_after="long", id="bytes")),
    frames=_list(
        _record(
            "ContractFrame",
            append="bytes",
            count="int",
            parts=_list(_record("ContractPart", index="int", contract="bytes")),
        )
    ),
    closed_key="bytes",
    closed=_list(_record("Bucket", opened="long", newest="long", count="int", pieces=_NAMES)),
    stopped=_list(_record("Stopped", reactor="bytes", number="int", stopped="boolean")),
    schedules=_list(SCHEDULE),
)

FORMAT: Final = blake2b(json.dumps([PARTITION, RUN]).encode(), digest_size=8).digest()
"""Of the two schemas: what was written with others is not read."""

_partition: Final = parse_schema(PARTITION)
_run: Final = parse_schema(RUN)


def partition_bytes(fields: Fields) -> bytes:
    out = BytesIO()
    schemaless_writer(out, _partition, fields)
    return out.getvalue()


def run_bytes(fields: Fields) -> bytes:
    out = BytesIO()
    schemaless_writer(out, _run, fields)
    return out.getvalue()


def read_partition(data: bytes) -> Fields:
    return _read(_partition, data)


def read_run(data: bytes) -> Fields:
    return _read(_run, data)


def _read(schema: Any, data: bytes) -> Fields:
    source = BytesIO(data)
    fields: Any = schemaless_reader(source, schema, None)
    if source.tell() != len(data):
        raise ValueError("bytes are left over")
    return dict(fields)


MANIFEST: Final = SystemSchema(
    "Manifest",
    [
        {"name": "partition", "type": "int"},
        {"name": "position", "type": "long", "doc": "How many offsets of the log it is the state of."},
        {"name": "log_id", "type": "string"},
        {"name": "log_time", "type": "long"},
        {"name": "fold_version", "type": "int"},
        {"name": "format", "type": "bytes", "doc": "Of what its bytes are."},
        {"name": "chunk", "type": "int", "doc": "Bytes of each chunk but the last."},
        {"name": "length", "type": "long", "doc": "Bytes of all chunks."},
        {"name": "hash", "type": "bytes", "doc": "BLAKE2b-256 of all chunks."},
        {"name": "digest", "type": "bytes", "doc": "The partition's digest there."},
        {"name": "last_append", "type": "bytes", "doc": "The append of the record before the position."},
        {"name": "pieces", "type": {"type": "array", "items": "bytes"}, "doc": "Of the ids of closed runs."},
        {"name": "objects", "type": "long", "doc": "How much there is in it."},
    ],
    doc="A checkpoint is complete.",
)  # fmt: skip
