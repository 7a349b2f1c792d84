"""Help and version are there at once, and need no part of the framework to be loaded."""

import subprocess
import sys

import pytest

from .conftest import Cli, environment, run

COMMANDS = (
    "demo", "dev", "check", "graph", "work", "start", "send", "runs", "show", "status", "tail", "inbox", "decide", "failures", "retry", "cancel", "pause",
    "resume", "retire", "schedules", "settings", "doctor", "project", "projections", "rebuild", "verify", "costs",
    "serve", "token",
)  # fmt: skip


def test_version_is_told() -> None:
    said = run("--version")
    assert said.code == 0
    assert said.out.startswith("farandole 0.")


def test_help_lists_every_command(cli: Cli) -> None:
    said = cli("--help")
    assert said.code == 0
    assert all(f" {command} " in said.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_takes_json(cli: Cli, command: str) -> None:
    said = cli(command, "--help")
    assert said.code == 0
    assert "--json" in said.out


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from farandole.cli import main; main(['--help']); "
        "sys.exit(any(m in sys.modules for m in ('pydantic', 'aiokafka', 'farandole.schemas', 'farandole.reactors')))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, check=False)
    assert done.returncode == 0


def test_without_a_command_help_is_shown(cli: Cli) -> None:
    said = cli()
    assert said.code == 2
    assert "demo" in said.out + said.err
