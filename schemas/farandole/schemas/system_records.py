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
        _field(
            "takes",
            _list(_list("string")),
            "Names of event types; each inner list is one parameter's union. News of failures and of children among "
            "others are named failed:<type>, child_done:<End> and child_failed:<Start>.",
        ),
        _field(
            "forms",
            _list("string"),
            "One for each parameter: event, list, failed, child_done, child_failed, or either of these.",
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
        _field("enough", "int", "Of list: how many branches are enough; 0: all.", default=0),
        _field("within", "long", "Of list: milliseconds after which what is there is enough; 0: never.", default=0),
        _field("deadline", "long", "Milliseconds that a step of it may take in all; 0: for ever.", default=0),
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
DECISION: Final = SystemSchema(
    "Decision",
    [
        _field("question", "string"),
        _field("answers", _list("string"), "Names of the types of answers that may be given."),
        _field("about", "string", "What is decided on, as JSON.", default=""),
        _field("about_type", "string", "The class of what is decided on.", default=""),
        _field("to", _list("string"), "Who may answer: names of people, or role:<name>.", default=[]),
        _field("within", "long", "Milliseconds for which it stays open; 0: for ever.", default=0),
        _field("otherwise", "string", "The type of what it becomes if nobody answers.", default=""),
        _field("quorum", "int", "How many people must give the same kind of answer.", default=1),
    ],
    doc="A question to people.",
)
SUBSTEP: Final = SystemSchema(
    "Substep", [_field("result", "string", "What it returned, as JSON.")], doc="A part of a step is done, once."
)
PROGRESS: Final = SystemSchema(
    "Progress",
    [_field("done", "double", "From 0 to 1."), _field("note", "string", default="")],
    doc="How far a step has come.",
)
LIVE: Final = SystemSchema(
    "Live",
    [
        _field("take", "string", "Random; tells the takes of one step apart: attempts, and whoever makes them."),
        _field("index", "long", "Of the first piece, counted from 0 within the take."),
        _field("lost", "boolean", "Whether pieces before these were dropped.", default=False),
        _field("personal", "boolean", "Whether only those may see them who may see what is personal.", default=False),
        _field(
            "pieces",
            _list({
                "type": "record",
                "name": "farandole.LivePiece",
                "fields": [_field("kind", "string"), _field("text", "string")],
            }),
        ),
    ],
    doc="What a step at work says in passing; in the topic of its own, and never in the log.",
)  # fmt: skip
CHILD_NEWS: Final = SystemSchema(
    "ChildNews",
    [
        _field("error", "string", "What went wrong, in words.", default=""),
        _field("cancelled", "boolean", default=False),
        _field("verdict", "int", "What the fold made of the message that was delivered.", default=0),
        _field("failure", "string", "The id of the failure that parked the child's step.", default=""),
    ],
    doc="What became of a message to another partition, or of a child run.",
)
POLICY: Final = SystemSchema(
    "Policy",
    [
        _field("reactor", "string", "Which reactor it binds; empty: all.", default=""),
        _field("stopped", "boolean", "Whether nothing more of it is begun."),
        _field("number", "int", "One more than that of the policy that it replaces."),
        *_REASON,
    ],
    doc="What may be begun.",
)
SCHEDULE_PAUSED: Final = SystemSchema("SchedulePaused", _REASON, doc="A schedule starts no run.")
SCHEDULE_RESUMED: Final = SystemSchema("ScheduleResumed", _REASON, doc="A paused schedule goes on.")
SCHEDULE_REMOVED: Final = SystemSchema("ScheduleRemoved", _REASON, doc="A schedule was taken out of the catalogue.")

SYSTEM_RECORDS: Final = (
    FAILURE, GENESIS, SETTING, VERSION, CONTRACT, CANCEL, RETRY, PAUSE, RESUME, OWE, RELEASED, EXPIRE,
    DECISION, SUBSTEP, PROGRESS, LIVE, CHILD_NEWS, POLICY, SCHEDULE_PAUSED, SCHEDULE_RESUMED, SCHEDULE_REMOVED,
)  # fmt: skip
"""All of them; their types in the log are their names."""
