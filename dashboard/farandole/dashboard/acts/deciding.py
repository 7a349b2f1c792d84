"""People's answers. The door checks whom a decision asks; the log checks what it is about, and that it is still open."""

import hmac
from collections.abc import Mapping
from typing import Any

from farandole.dashboard.callers import Caller
from farandole.dashboard.desk import Desk
from farandole.dashboard.errors import Problem
from farandole.reactors.decisions import chosen
from farandole.schemas import Answer

from .events import event_of
from .origin import Done, done, on_behalf_of


async def decide(
    desk: Desk,
    caller: Caller,
    run_id: str,
    decision: str,
    type: str,
    payload: Mapping[str, Any],
    *,
    hash: str,
    comment: str | None = None,
    by: str | None = None,
) -> Done:
    """Answer a question of a run.

    Args:
        hash: of what the person was shown, so that an answer is never taken for one to something else.
        by: in whose name; only where nobody is asked who they are.

    Raises:
        Problem: it is not asked of them; it is about something else by now; the answer is not known here or does not fit.
        CommandRefused: it is decided, or its time is over; or they answered before.
    """
    if by is not None and by != caller.name and not caller.trusted:
        raise Problem(403, "Not allowed", "Nobody answers in another's name.", "Leave by out.")
    who = caller.name if by is None else by
    fields = {**payload, **({"comment": comment} if comment is not None else {}), "by": who}
    answer = event_of(desk, type, fields, Answer)
    handle = on_behalf_of(desk, caller).run(run_id)
    view = chosen(await handle.decisions(), decision, run_id)
    if not caller.is_asked(view.to):
        raise Problem(
            403, "Not asked", f"{who} is not among those whom this asks.", f"It asks {', '.join(view.to)}.", to=list(view.to)
        )  # fmt: skip
    if not hmac.compare_digest(view.hash.hex().encode(), hash.lower().encode(errors="replace")):
        raise Problem(
            409, "Something else by now", "What is decided on is not what was looked at.", "Look at it again, and answer anew.",
            verdict="other_subject",
        )  # fmt: skip
    await handle.decide(view, answer, by=who, via=f"dashboard, {caller.method}")
    return await done(desk, caller, f"decide {type}", run_id=run_id)
