"""Approvals in the midst of a conversation: what an agent wants to call is shown, and called if the user says yes."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from farandole.projections.fold import RunStatus
from farandole.reactors.client import Client
from farandole.reactors.decisions import DecisionView
from farandole.reactors.errors import CommandRefused
from farandole.schemas import Answer

from .lines import Lines
from .output import Output, safe, to_json
from .speech import Speech

if TYPE_CHECKING:
    from farandole.agents import ToolApproved, ToolDenied

_DEEP = 4
"""Runs below the one that is talked to, in which agents may ask too."""


class Consenting:
    """Asks the user what the run asks people.

    Args:
        by: who answers, as the log has it.
    """

    def __init__(self, client: Client, out: Output, speech: Speech, by: str) -> None:
        self._client = client
        self._out = out
        self._speech = speech
        self._by = by
        self._left: set[str] = set()
        """Questions that cannot be answered here."""

    async def ask(self, status: RunStatus, lines: Lines) -> bool:
        """Ask the first question that there is; whether one was answered."""
        for view in await self._open(status, 0):
            if view.id in self._left:
                continue
            self._left.add(view.id)
            answers = _yes_and_no(view)
            if answers is None:
                self._say(f"{view.question} Answer it with farandole decide; farandole inbox shows it.", "yellow")
            elif await self._answered(view, *answers, lines):
                return True
        return False

    async def _open(self, status: RunStatus, depth: int) -> list[DecisionView]:
        found = await self._client.run(status.run_id).decisions() if status.decisions else []
        for child in status.children if depth < _DEEP else ():
            if child.choreography in ("", self._client.scribe.choreography):
                found += await self._open(await self._client.run(child.run_id).status(), depth + 1)
        return found

    async def _answered(
        self, view: DecisionView, yes: "type[ToolApproved]", no: "type[ToolDenied]", lines: Lines
    ) -> bool:
        about = view.about if isinstance(view.about, dict) else {}
        self._say(f"? {view.question}", "bold yellow")
        self._say(f"  {about.get('tool', '')} {to_json(about.get('args', view.about), indent=2)}", "")
        said = await self._said("  yes or no? ", lines)
        while said is not None and said.strip().lower() not in ("y", "yes", "n", "no"):
            said = await self._said("  y or n? ", lines)
        if said is None:
            return False
        if said.strip().lower().startswith("y"):
            answer: Answer = yes()
        else:
            answer = no(comment=await self._said("  why not? ", lines) or "")
        try:
            await self._client.run(view.run_id).decide(view, answer, by=self._by, via="farandole chat")
        except CommandRefused as e:
            self._say(str(e), "yellow")
        return True

    async def _said(self, prompt: str, lines: Lines) -> str | None:
        if sys.stdin.isatty():
            self._out.console.print(Text(prompt, style="yellow"), end="")
            sys.stdout.flush()
        return await lines.next()

    def _say(self, text: str, style: str) -> None:
        self._speech.pause()
        self._out.print(Text(safe(text), style=style), soft_wrap=True)


def _yes_and_no(view: DecisionView) -> "tuple[type[ToolApproved], type[ToolDenied]] | None":
    from farandole.agents import ToolApproved, ToolDenied

    yes = next((each for each in _classes(view.answers) if issubclass(each, ToolApproved)), None)
    no = next((each for each in _classes(view.answers) if issubclass(each, ToolDenied)), None)
    return None if yes is None or no is None else (yes, no)


def _classes(answers: Sequence[type[Answer] | str]) -> Iterator[type[Answer]]:
    return (each for each in answers if isinstance(each, type))
