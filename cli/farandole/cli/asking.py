"""`inbox` and `decide`: what runs ask people, and their answers."""

from typing import Any

import typer
from rich.padding import Padding
from rich.text import Text

from farandole.reactors import DecisionView
from farandole.reactors.decisions import chosen
from farandole.reactors.errors import CommandRefused
from farandole.schemas import Answer

from .errors import CliError, Refused
from .output import Output, safe, to_json
from .payload import event
from .running import Target, attached, existing
from .times import ago, span
from .words import short, state


async def inbox(target: Target, out: Output, *, to: str | None) -> int:
    """Print what waits for people."""
    async with attached(target) as client:
        views = await client.decisions(to=to)
        now = await client.store.now()
    if out.as_json:
        out.document({"choreography": target.choreography.name, "decisions": [view_json(view) for view in views]})
        return 0
    if not views:
        out.print(f"Nothing waits for {safe(to)}." if to else "Nothing waits for people.")
    for view in views:
        show(out, view, now)
    return 0


async def decide(
    target: Target, run_id: str, name: str, text: str, out: Output, *, decision: str | None, by: str, ask: bool
) -> int:
    """Answer a question of a run."""
    answer = event(target.choreography, name, text, Answer)
    if not isinstance(answer, Answer):
        raise CliError(f"{name} is no Answer")
    if not by:
        raise CliError("who answers? Say --by NAME")
    async with attached(target) as client:
        handle, _ = await existing(client, run_id)
        try:
            view = chosen(await handle.decisions(), decision, run_id)
            if ask:
                show(out, view, await client.store.now())
                typer.confirm(f"Answer {name} as {by}?", abort=True)
            await handle.decide(view, answer, by=by, via="farandole decide")
        except CommandRefused as e:
            raise Refused(str(e)) from e
        status = await handle.status()
    if out.as_json:
        out.document({"run": run_id, "decision": view.id, "answer": name, "by": by, "status": status.status})
    else:
        counted = any(pending.id == view.id for pending in status.decisions)
        said = f"  {name} by {by}" + (f", one of {view.quorum} that it takes" if counted else "")
        out.print(Text.assemble(run_id, "  ", state(status.status), (said, "dim")))
    return 0


def show(out: Output, view: DecisionView, now: int) -> None:
    """A question with all that is needed to answer it."""
    answers = " or ".join(_name(answer) for answer in view.answers)
    of = f" · {view.quorum} of a kind" if view.quorum > 1 else ""
    over = ""
    if view.expires is not None:
        left = view.expires.timestamp() - now / 1000
        over = f" · {f'over in {span(left)}' if left > 0 else 'over'}, then {short(view.otherwise)}"
    out.print(Text.assemble((safe(view.run_id), "bold"), "  ", safe(view.question)), soft_wrap=True)
    out.print(Text(f"  {safe(answers)}{of}{over}"), soft_wrap=True)
    to = f" · to {', '.join(map(safe, view.to))}" if view.to else ""
    asked = ago(int(view.asked.timestamp() * 1000), now)
    votes = "".join(f" · {safe(by) or 'somebody'}: {short(answer)}" for by, answer in view.votes)
    out.print(Text(f"  asked {asked}{to}{votes} · {view.id}", style="dim"), soft_wrap=True)
    if view.about is not None:
        about = safe(view.about_type) + " " if view.about_type else ""
        out.print(Padding(Text(f"{about}{to_json(view.about, indent=2)}"), (0, 0, 0, 2)))


def view_json(view: DecisionView) -> dict[str, Any]:
    """A question for other programs."""
    return {
        "run": view.run_id,
        "decision": view.id,
        "question": view.question,
        "answers": [_name(answer) for answer in view.answers],
        "about": view.about,
        "about_type": view.about_type or None,
        "to": view.to,
        "asked": view.asked,
        "expires": view.expires,
        "otherwise": view.otherwise or None,
        "quorum": view.quorum,
        "votes": [{"by": by, "answer": answer} for by, answer in view.votes],
    }


def _name(answer: type[Answer] | str) -> str:
    return short(answer) if isinstance(answer, str) else answer.__name__
