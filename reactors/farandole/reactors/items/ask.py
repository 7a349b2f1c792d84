"""A question to people."""

import json
from collections.abc import Mapping, Sequence, Set
from hashlib import blake2b
from typing import Any, Final

from pydantic import BaseModel

from farandole.projections.fold import Pair
from farandole.reactors.outputs import Ask
from farandole.reactors.scribe import Scribe
from farandole.reactors.written import Part
from farandole.schemas import Secret, system_records
from farandole.schemas.envelope import Flag
from farandole.schemas.ids import OUTSIDE, derived_id
from farandole.schemas.marks import marks_among

from .after import in_milliseconds

_AFTER: Final = b"farandole.After"


def parts(scribe: Scribe, run_id: bytes, pair: Pair, index: int, item: Ask[Any]) -> Sequence[Part]:
    """Its records, the first of which is the one at ``index`` in its outcome."""
    about = "" if item.about is None else _told(item.about)
    within = 0 if item.within is None else in_milliseconds(item.within)
    answers = [scribe.types.wire_name(answer) for answer in item.answers]
    content = {
        "question": item.question,
        "answers": answers,
        "about": about,
        "about_type": "" if item.about is None else type(item.about).__name__,
        "to": list(item.to),
        "within": within,
        "otherwise": "" if item.otherwise is None else scribe.types.wire_name(type(item.otherwise)),
        "quorum": item.quorum,
    }
    id = derived_id(pair.trigger, pair.reactor, pair.generation, index)
    value, coded = scribe.sealed_system(system_records.DECISION, content, run_id, id)
    extra = item.quorum.to_bytes(2, "big") + subject(item.question, about) + "\0".join(answers).encode()
    schema = system_records.DECISION
    decision = Part(schema.name.encode(), value, schema.fingerprint, Flag.ASK | coded, extra=extra)
    if item.otherwise is None:
        return (decision,)
    last = OUTSIDE + derived_id(pair.trigger, pair.reactor, pair.generation, index + 1)
    type_name, value, fingerprint, flags = scribe.sealed(item.otherwise, run_id, last)
    flags |= Flag.AFTER | Flag.ASK
    return decision, Part(_AFTER, value, fingerprint, flags, delay=within, extra=type_name, copied=True)


def _told(about: BaseModel) -> str:
    """It as JSON, without what is marked as secret: many will read it."""
    text = about.model_dump_json()
    said = json.loads(text)
    told = _without_secrets(about, said)
    return text if told == said else json.dumps(told, separators=(",", ":"), ensure_ascii=False)


def _without_secrets(value: object, said: Any) -> Any:
    match value, said:
        case BaseModel(), dict():
            fields = type(value).model_fields
            secret = {name for name, field in fields.items() if Secret in marks_among(field.metadata)}
            return {n: None if n in secret else _without_secrets(getattr(value, n, None), s) for n, s in said.items()}
        case Mapping(), dict():
            return {key: _without_secrets(each, said[key]) for key, each in zip(said, value.values(), strict=True)}
        case ((list() | tuple() | Set()), list()):
            return [_without_secrets(each, of) for each, of in zip(value, said, strict=True)]
    return said


def subject(question: str, about: str) -> bytes:
    """The hash of what is decided on."""
    h = blake2b(digest_size=16)
    for part in (question.encode(), about.encode()):
        h.update(len(part).to_bytes(4, "big") + part)
    return h.digest()
