"""`failures`, `retry` of many and with another input, and `settings`."""

from pathlib import Path

import pytest

from .conftest import Cli, working

ORDERED = ("start", "shop_app:shop", "Ordered")
APP = "shop_app:shop"


def test_what_failed_is_listed_by_cause_and_retried_at_once(cli: Cli, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/failing.db"
    with working(store, SHOP_MARKERS=str(tmp_path)):
        for n, item in enumerate(("broken", "broken", "stolen")):
            assert cli(*ORDERED, f'{{"item": "{item}"}}', "--run-id", f"r-{n}", "--wait", "-s", store).code == 1
        table = cli("failures", APP, "-s", store)
        assert table.code == 0
        assert "RuntimeError: the till is broken" in table.out
        assert "\x1b" not in table.out
        till, card = cli("failures", "-c", "shop", "--json", "-s", store).json["failures"]
        assert (till["reactor"], till["steps"], set(till["runs"])) == ("pay", 2, {"r-0", "r-1"})
        assert card["error"].endswith("GiveUp")
        (tmp_path / "mended").touch()
        said = cli("retry", APP, "--fingerprint", till["fingerprint"][:6], "--why", "new till", "--json", "-s", store)
        assert said.json == {"done": "retry", "steps": 2}
        assert cli("retry", "-c", "shop", "--reactor", "pay", "--limit", "5", "--json", "-s", store).json["steps"] == 1


def test_a_step_is_retried_with_another_input(cli: Cli, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/edited.db"
    with working(store, SHOP_MARKERS=str(tmp_path)):
        cli(*ORDERED, '{"item": "stolen", "count": 7}', "--run-id", "r", "--wait", "-s", store)
        wrong = cli("retry", APP, "r", "--edit", '{"itme": "book"}', "-s", store)
        assert wrong.code == 2
        assert "Ordered has no field 'itme'; did you mean item?" in wrong.err
        said = cli(
            "retry", APP, "r", "--edit", '{"item": "book"}', "--why", "found", "--by", "ann", "--json", "-s", store
        )
        assert said.json["steps"] == 1
        cli("tail", "-c", "shop", "r", "-s", store)
        shown = cli("show", APP, "r", "-s", store).out
        assert "retried with another Ordered" in shown
        assert "item=book  count=7 · found" in shown
        assert "ann" in shown
        again = cli("retry", APP, "r", "--edit", '{"item": "pen"}', "-s", store)
        assert again.code == 2
        assert "no step is parked" in again.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("retry", APP, "r", "--fingerprint", "1"), "about all runs"),
        (("retry", APP, "--limit", "3"), "which steps?"),
        (("retry", APP, "--all", "--edit", "{}"), "--edit is about one step"),
        (("retry", APP, "r", "--event", "Ordered"), "give --edit too"),
        (("retry", APP), "which run of"),
        (("settings", APP, "expire_aftr", "1"), "did you mean expire_after?"),
        (("settings", APP, "kept", "many"), "'many' is not a whole number"),
        (("settings", APP, "settle", "soon"), "'soon' is not a duration"),
        (("settings", APP, "kept", "99999999999999999999"), "out of range"),
    ],
)
def test_mistakes_are_told(cli: Cli, words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    said = cli(*words, "-s", f"sqlite:///{tmp_path}/none.db")
    assert said.code == 2
    assert says in said.err


def test_settings_are_shown_and_changed_in_every_partition(cli: Cli, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/settings.db"
    cli(*ORDERED, '{"item": "book"}', "--run-id", "r", "-s", store)
    shown = cli("settings", APP, "-s", store)
    assert "dedup_window" in shown.out
    said = cli("settings", APP, "expire_after", "30d", "--why", "long enough", "--json", "-s", store)
    assert said.json == {"setting": "expire_after", "value": 30 * 86_400_000, "partitions": 16}
    found = cli("settings", "-c", "shop", "--json", "-s", store).json
    assert found["settings"]["expire_after"] == 30 * 86_400_000
    assert found["fold_version"] == 1
    assert "already" in cli("settings", APP, "expire_after", "30d", "-s", store).out
    assert "instead of off" in cli("settings", APP, "-s", store).out
    assert "already" in cli("settings", APP, "--fold-version", "1", "-s", store).out
    unknown = cli("settings", APP, "--fold-version", "99", "-s", store)
    assert unknown.code == 2
    assert "upgrade it first" in unknown.err
