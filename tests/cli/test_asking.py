"""`inbox` and `decide`, and what the other commands tell of timers and questions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Cli, until, working


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path: Path = tmp_path_factory.mktemp("desk")
    store = f"sqlite:///{path}/desk.db"
    with working(store, app="desk_app:desk"):
        yield store


@pytest.fixture
def ask(cli: Cli, store: str) -> "object":
    def submit(run: str, title: str) -> None:
        cli("start", "desk_app:desk", "Submitted", f'{{"title": "{title}"}}', "--run-id", run, "-s", store)
        until(lambda: cli("status", "-c", "desk", run, "--json", "-s", store).json["timers"])
        until(lambda: cli("status", "-c", "desk", run, "--json", "-s", store).json["decisions"])

    return submit


def test_what_waits_is_listed_answered_and_gone(cli: Cli, store: str, ask: "object") -> None:
    ask("d-1", "News")  # type: ignore[operator]
    listed = cli("inbox", "-c", "desk", "--to", "ann", "-s", store)
    assert listed.code == 0
    assert "d-1  Publish News?" in listed.out
    assert "Approved or Rejected · over in 2 d, then Rejected" in listed.out
    assert "to ann, role:editor" in listed.out
    assert '"title": "News"' in listed.out
    assert "Nothing waits for bob." in cli("inbox", "-c", "desk", "--to", "bob", "-s", store).out
    answered = cli("decide", "desk_app:desk", "d-1", "Approved", '{"comment": "fine"}', "--by", "ann", "-s", store)
    assert answered.code == 0
    assert "Approved by ann" in answered.out
    until(lambda: cli("status", "-c", "desk", "d-1", "--json", "-s", store).json["status"] == "completed")
    shown = cli("show", "-c", "desk", "d-1", "-s", store).out
    assert "asks people" in shown
    assert "Publish News? Approved or Rejected · to ann, role:editor" in shown
    assert "otherwise Rejected, to come" in shown
    assert "Reminded, to come" in shown
    assert "in 1 d · lapsed with the result" in shown
    assert "role:editor · answered" in shown
    assert "Decided" in shown
    told = cli("tail", "-c", "desk", "d-1", "-n", "20", "--no-follow", "--json", "-s", store).lines
    assert [line["type"].rpartition(".")[2] for line in told].count("After") == 2
    again = cli("decide", "desk_app:desk", "d-1", "Rejected", "--by", "bob", "-s", store)
    assert again.code == 4
    assert "it waits for no decision" in again.err


def test_a_vote_is_told_as_one(cli: Cli, store: str, ask: "object") -> None:
    ask("d-2", "Law")  # type: ignore[operator]
    said = cli("decide", "desk_app:desk", "d-2", "Approved", "--by", "ann", "-s", store)
    assert "Approved by ann, one of 2 that it takes" in said.out
    [view] = [v for v in cli("inbox", "-c", "desk", "--json", "-s", store).json["decisions"] if v["run"] == "d-2"]
    assert (view["quorum"], view["votes"]) == (2, [{"by": "ann", "answer": "desk.Approved"}])
    twice = cli("decide", "desk_app:desk", "d-2", "Approved", "--by", "ann", "-s", store)
    assert (twice.code, "this person has answered" in twice.err) == (4, True)
    status = cli("status", "-c", "desk", "d-2", "-s", store).out
    assert "waits for Reminded in " in status
    assert "somebody to answer Approved or Rejected (over in " in status
    assert "; out of time in 30 d" in status


def test_what_dropped_a_timer_is_told(cli: Cli, store: str, ask: "object") -> None:
    ask("d-3", "Poem")  # type: ignore[operator]
    assert cli("send", "desk_app:desk", "d-3", "Withdrawn", "-s", store).code == 0
    assert "in 1 d · dropped by Withdrawn" in cli("show", "-c", "desk", "d-3", "-s", store).out


def test_mistakes_are_named(cli: Cli, store: str) -> None:
    said = cli("decide", "desk_app:desk", "d-9", "Aproved", "--by", "ann", "-s", store)
    assert said.code == 2
    assert "did you mean Approved?" in said.err
    assert cli("decide", "desk_app:desk", "d-9", "Approved", "--by", "", "-s", store).err.startswith(
        "error: who answers?"
    )
    assert cli("decide", "desk_app:desk", "d-9", "Approved", "--by", "ann", "-s", store).code == 3
