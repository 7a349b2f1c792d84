"""What the pages show works: code compiles, programs run and print what is said, commands and links exist.

Comments in a page, each on the line before a fence, say more about a block:

    <!-- run -->                a whole program; it is run by itself, in an empty directory
    <!-- run with package -->   the same, where that package is installed
    <!-- prints -->             what the program before it prints, line by line
"""

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SECONDS = 60


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    marker: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    lines = page.read_text().splitlines()
    marker, at = "", 0
    while at < len(lines):
        line = lines[at]
        if line.startswith("```"):
            end = lines.index("```", at + 1)
            text = "\n".join(lines[at + 1 : end]) + "\n"
            yield Block(page, at + 1, line.removeprefix("```").strip(), marker, text)
            at = end
        comment = re.fullmatch(r"<!-- (.*) -->", lines[at])
        marker = comment[1] if comment else ""
        at += 1


def prose_of(page: Path) -> str:
    """A page without its blocks and its code, in which brackets are no links."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
PYTHON = [block for block in BLOCKS if block.language == "python"]
PROGRAMS = [block for block in PYTHON if re.match(r"run\b", block.marker)]


def said_by(program: Block) -> str | None:
    """What the page says that a program prints."""
    following = BLOCKS[BLOCKS.index(program) + 1 :][:1]
    return following[0].text if following and following[0].marker == "prints" else None


def commands() -> Iterator[tuple[Block, list[str]]]:
    """Each command of the console blocks, as words."""
    for block in BLOCKS:
        if block.language != "console":
            continue
        for line in block.text.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                words = list(shlex.shlex(line[2:], posix=True, punctuation_chars="|&;"))
                lexer = shlex.split(line[2:], comments=True)
                if {"|", "&&", ";"} & set(words):
                    for part in re.split(r"\s(?:\||&&|;)\s", line[2:]):
                        yield block, shlex.split(part, comments=True)
                else:
                    yield block, lexer


def ours(program: str) -> list[Any]:
    return [
        pytest.param(words[1:], id=f"{block}-{' '.join(words[1:3])}")
        for block, words in commands()
        if words and Path(words[0]).name == program
    ]


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_every_python_block_compiles(block: Block) -> None:
    compile(block.text, str(block), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)


@pytest.mark.parametrize("block", PROGRAMS, ids=str)
def test_every_program_runs_and_prints_what_is_said(block: Block, tmp_path: Path) -> None:
    for package in block.marker.split()[2:]:
        pytest.importorskip(package)
    (tmp_path / "program.py").write_text(block.text)
    env = {name: value for name, value in os.environ.items() if not name.startswith("FARANDOLE_")}
    env["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    ran = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=SECONDS
    )
    assert ran.returncode == 0, ran.stderr
    said = said_by(block)
    if said is not None:
        assert ran.stdout == said


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_said_of_a_block_stands_before_it(page: Path) -> None:
    """A fence says its language and no more; what else it says nobody would look at."""
    assert [str(block) for block in blocks_of(page) if " " in block.language] == []


def test_the_main_example_of_the_readme_is_a_program() -> None:
    first = next(block for block in PYTHON if block.page.name == "README.md")
    assert first in PROGRAMS


@pytest.mark.parametrize("words", ours("farandole"))
def test_every_command_and_option_exists(words: list[str]) -> None:
    typer = pytest.importorskip("typer")
    app = pytest.importorskip("farandole.cli.app", exc_type=ImportError).app
    command = typer.main.get_command(app)
    while words and not words[0].startswith("-") and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    assert not getattr(command, "commands", None) or not words or words[0].startswith("-"), f"no command {words[0]}"
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert used <= known | {"--help"}


@pytest.mark.parametrize("words", ours("make"))
def test_every_make_target_exists(words: list[str]) -> None:
    for target in (word for word in words if "=" not in word):
        assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(), flags=re.M)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors_of(target)):
            broken.append(link)
    assert not broken


def test_every_state_of_a_run_is_told_of() -> None:
    from typing import get_args

    from farandole.projections.fold.status import Status

    page = (ROOT / "docs/clients.md").read_text()
    assert [state for state in get_args(Status) if f"| `{state}` |" not in page] == []
