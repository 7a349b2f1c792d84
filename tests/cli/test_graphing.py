"""`check` tells what is amiss, `graph` draws; neither needs a log, or code that is fit for work."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from .conftest import Cli


def test_a_sound_choreography_is_code_0(cli: Cli) -> None:
    said = cli("check", "amiss_app:sound")
    assert said.code == 0
    assert said.out == "1 reactor, 2 events: nothing found amiss\n"


def test_an_error_is_code_1(cli: Cli) -> None:
    said = cli("check", "amiss_app:amiss")
    assert said.code == 1
    assert "nothing provides Nobody (for 'nobody') (not-provided)" in said.out
    assert "→ write a function that returns it, with @amiss.provide" in said.out
    assert "1 error, 1 warning" in said.out


def test_a_warning_alone_is_code_0(cli: Cli) -> None:
    said = cli("check", "shop_app:shop", "--json")
    assert said.code == 0
    assert said.json["sound"] is True
    assert [(f["severity"], f["name"], f["where"]) for f in said.json["findings"]] == [
        ("info", "join-once", "shop.wrap")
    ]


def test_services_are_looked_at_together(cli: Cli) -> None:
    said = cli("check", "shop_app:shop", "shop_app:other", "shop_app:shop", "--json")
    assert said.code == 1
    assert [f["name"] for f in said.json["findings"]] == ["served-twice", "join-once"]


def test_mermaid_is_what_is_drawn_unless_something_else_is_said(cli: Cli) -> None:
    said = cli("graph", "amiss_app:amiss")
    assert said.code == 0
    assert said.out.startswith("flowchart TB\n")


@pytest.mark.parametrize(("name", "begins"), [("x.svg", "<svg"), ("x.dot", "digraph"), ("x.mmd", "flowchart")])
def test_the_name_of_the_file_says_the_format(cli: Cli, tmp_path: Path, name: str, begins: str) -> None:
    said = cli("graph", "shop_app:shop", "-o", str(tmp_path / name))
    assert (said.code, said.out) == (0, "")
    assert (tmp_path / name).read_text().startswith(begins)


def test_a_format_can_be_said(cli: Cli) -> None:
    said = cli("graph", "shop_app:shop", "--format", "svg")
    assert ET.fromstring(said.out).tag.endswith("svg")


def test_a_name_that_says_nothing_is_an_error(cli: Cli, tmp_path: Path) -> None:
    said = cli("graph", "shop_app:shop", "-o", str(tmp_path / "x.png"))
    assert said.code == 2
    assert "say --format" in said.err.lower()


def test_the_graph_as_data(cli: Cli) -> None:
    said = cli("graph", "amiss_app:sound", "--json")
    assert [node["title"] for node in said.json["nodes"]] == ["Opened", "Done", "close"]
    assert [(edge["source"], edge["target"]) for edge in said.json["edges"]] == [
        ("sound.Opened", "sound.close()"),
        ("sound.close()", "sound.Done"),
    ]


def test_a_file_that_cannot_be_written_is_told(cli: Cli, tmp_path: Path) -> None:
    said = cli("graph", "amiss_app:sound", "-o", str(tmp_path / "none" / "x.svg"))
    assert said.code == 2
    assert "x.svg" in said.err
