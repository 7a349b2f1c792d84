"""The system records and their fields. ``docs/protocol.md`` says who writes each, and what it does."""

from typing import Any, Final

from .system import SystemSchema


def _field(name: str, type: Any, doc: str = "", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type, **({"doc": doc} if doc else {}), **more}


def _list(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


_REASON: Final = (_field("reason", "string", default=""), _field("by", "string", "Who asked.", default=""))

FAILURE: Final = SystemSchema(
    "Failure",
    [
        _field("error", "string", "The error's class, with its module."),
        _field("message", "string"),
        _field("traceback", "string", "Cut, so that the record stays below 8 KiB.", default=""),
        _field("fingerprint", "string", "The same for failures of one cause, for grouping.", default=""),
    ],
    doc="One attempt of a step failed.",
)
GENESIS: Final = SystemSchema(
    "Genesis",
    [
        _field("log_id", "string", "Random; the same in all partitions of one log."),
        _field("partitions", "int"),
        _field("fold_version", "int"),
        _field("settings", {"type": "map", "values": "long"}, "Settings that differ from the defaults."),
    ],
    doc="The first record of a partition.",
)
SETTING: Final = SystemSchema(
    "Setting",
    [
        _field("name", "string"),
        _field("value", "long"),
        _field("replaces", "long", "The value in force."),
        *_REASON,
    ],
    doc="A setting comes into force at this offset.",
)
VERSION: Final = SystemSchema(
    "Version", [_field("version", "int"), *_REASON], doc="The rules of the fold from this offset on."
)
CONTRACT: Final = SystemSchema(
    "Contract",
    [
        _field("reactor", "string"),
        _field("service", "string"),
        _field("version", "string", "Of the service's code, as its owner names it.", default=""),
        _field("takes", _list(_list("string")), "Names of event types; each inner list is one parameter's union."),
        _field(
            "forms",
            _list("string"),
            "One for each parameter: event, list, failed, child_done or child_failed.",
        ),
        _field("signals", _list("string"), "Those of the types it takes that come from outside.", default=[]),
        _field("of", _list("string"), "Of failed: the reactors it is narrowed to; empty for all.", default=[]),
        _field("each", "string", "Of list: the event whose fan-out it gathers.", default=""),
        _field(
            "gives",
            _list(
                {
                    "type": "record",
                    "name": "farandole.Given",
                    "fields": [
                        _field("form", "string", "one, tuple, list, after, ask or child."),
                        _field("types", _list("string")),
                    ],
                }
            ),
            "What it may return.",
        ),
        _field("unless", _list("string"), "Events that drop its timers.", default=[]),
        _field("ordered", "boolean", default=False),
        _field("compensates", "boolean", default=False),
        _field("state", "string", "active, retired_drop or retired_keep.", default="active"),
        _field("renames", "string", "The reactor whose place it takes.", default=""),
        _field("owner", "string", default=""),
        _field(
            "replaces", "string", "The id of the contract in force, in hexadecimal; empty for the first.", default=""
        ),
    ],
    doc="What a reactor takes, may return and promises: its subscription.",
)
CANCEL: Final = SystemSchema("Cancel", _REASON, doc="A run is to end, cancelled.")
RETRY: Final = SystemSchema(
    "Retry",
    [_field("failure_id", "string", "The failure that parked the step."), *_REASON],
    doc="A parked step is owed again.",
)
PAUSE: Final = SystemSchema("Pause", _REASON, doc="Nothing of a run is dispatched.")
RESUME: Final = SystemSchema("Resume", _REASON, doc="A paused run goes on.")
OWE: Final = SystemSchema(
    "Owe",
    [
        _field("trigger", "string", "The id of an event."),
        _field("offset", "long", "Where it stands in this partition."),
        _field("reactor", "string"),
        *_REASON,
    ],
    doc="A reactor owes an outcome of an event, anew.",
)
RELEASED: Final = SystemSchema("Released", [_field("member", "string")], doc="A worker let go of the partition.")
EXPIRE: Final = SystemSchema("Expire", [], doc="A run that stood still too long is closed.")

SYSTEM_RECORDS: Final = (
    FAILURE, GENESIS, SETTING, VERSION, CONTRACT, CANCEL, RETRY, PAUSE, RESUME, OWE, RELEASED, EXPIRE,
)  # fmt: skip
"""All of them; their types in the log are their names."""
