"""What everybody may know of a sub-step that is a call of a model or a tool: not what was said in it."""

import json
from typing import Any, Final

_TOLD: Final = (
    "kind", "model", "provider", "finish_reason", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_write_tokens", "cost", "tool", "call", "outcome", "took_ms", "attempt", "secret",
)  # fmt: skip


def told_of(result: str) -> tuple[str | None, bool]:
    """What a sub-step returned without what was said, as JSON, and whether what was said is secret.

    None if it is no call that says what it is: which part of anything else is personal, nobody knows.
    """
    try:
        found: Any = json.loads(result)
    except (ValueError, RecursionError):
        return None, False
    if not isinstance(found, dict):
        return None, False
    if found.get("kind") not in ("model", "tool") or not isinstance(found.get("took_ms"), int):
        return None, False
    told = {name: found[name] for name in _TOLD if name in found and not isinstance(found[name], dict | list)}
    return json.dumps(told), found.get("secret") is True
