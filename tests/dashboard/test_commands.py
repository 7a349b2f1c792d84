"""What pages show as commands is what the command line takes."""

import re
import shlex
from types import SimpleNamespace

import pytest
import typer

from farandole.cli.app import app
from farandole.dashboard.pages.commands import commands
from farandole.dashboard.pages.site import TEMPLATES

CALL = re.compile(r'\bcli\("([a-z]+)"((?:, [^()]+)?)\)')
desk = SimpleNamespace(choreography="orders", store_url="kafka://broker:9092", db_url="postgresql://host/orders")


def shown() -> set[tuple[str, ...]]:
    """Each call of a template, with something in the place of what it fills in."""
    found = set()
    for path in TEMPLATES.glob("*.html"):
        for verb, rest in CALL.findall(path.read_text()):
            words = [word.strip() for word in rest.split(",") if word.strip()]
            found.add((verb, *(word.strip('"') if word.startswith('"') else "x" for word in words if word[0] != "*")))
    return found


@pytest.mark.parametrize("call", sorted(shown()), ids=" ".join)
def test_a_command_that_a_page_shows_can_be_typed(call: tuple[str, ...]) -> None:
    words = shlex.split(commands(desk)(*call))
    assert words[0] == "farandole"
    root = typer.main.get_command(app)
    command = root.get_command(root.make_context("farandole", ["--help"], resilient_parsing=True), words[1])  # type: ignore[attr-defined]
    assert command is not None, words[1]
    command.make_context(words[1], words[2:], resilient_parsing=False)


def test_templates_show_commands() -> None:
    verbs = {verb for verb, *_ in shown()}
    assert {"start", "send", "pause", "resume", "cancel", "retry", "schedules", "verify", "rebuild"} <= verbs
