"""What a user gets wrong is told in one line on stderr, with its cure and a code, and never with a traceback."""

import pytest

from farandole.eventstore import StoreUnavailable

from .conftest import Cli, run

STORE = ("--store", "memory://unused")


def test_what_was_given_as_json_is_not_told_again(cli: Cli) -> None:
    for given in ('{"item": "4242"', '["4242"]', '{"item": "x", "count": "4242x"}', '{"item": "x", "more": "4242"}'):
        said = cli("start", "shop_app:shop", "Ordered", given, *STORE)
        assert said.code == 2
        assert "4242" not in said.out + said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("start", "shop_app", "Ordered"), "no app path: write module:attribute"),
        (("start", "shopapp:shop", "Ordered"), "there is no module 'shopapp'"),
        (("start", "nofile.py:shop", "Ordered"), "there is no file nofile.py"),
        (("start", "shop_app:shp", "Ordered"), "did you mean shop?"),
        (("start", "shop_app:nothing", "Ordered"), "is a str, not a Choreography"),
        (("start", "broken_app:shop", "Ordered"), "No module named 'no_such_package' (broken_app.py, line 3"),
        (("start", "mistaken_app:shop", "Ordered"), "Retry(first='3 sex'): "),
        (("start", "mistaken_app:shop", "Ordered"), "(mistaken_app.py, line 6: patient = Retry("),
        (("start", "undeclared_app:shop", "Ordered"), "shop.pay: parameter 'order' has no annotation"),
        (("start", "shop_app:shop", "Orderd"), "did you mean Ordered?"),
        (
            ("start", "shop_app:other", "Zigzagged"),
            "does not know Zigzagged; name the app of a service that begins",
        ),
        (("start", "shop_app:shop", "Wished"), "Wished is no Start, but of kind signal"),
        (("start", "shop_app:shop", "Ordered", "{"), "this is not JSON"),
        (("start", "shop_app:shop", "Ordered", "[1]"), "as a JSON object"),
        (("start", "shop_app:shop", "Ordered", "@nofile.json"), "nofile.json: No such file"),
        (("start", "shop_app:shop", "Ordered", '{"item": 3}'), "Ordered.item: input should be a valid string"),
        (("start", "shop_app:shop", "Ordered", "{}"), "Ordered.item: field required"),
        (("start", "shop_app:shop", "Ordered", '{"item": "x", "cuont": 1}'), "no field 'cuont'; did you mean count?"),
        (("start", "shop_app:shop", "Ordered", '{"item": "x"}', "--timeout", "soon"), "soon"),
        (("runs",), "which choreography?"),
        (("runs", "-c", "UPPER"), "a name is of lower-case"),
        (("runs", "-c", "shop", "--status", "faild"), "did you mean failed?"),
        (("show", "run-1"), "which choreography is 'run-1' of?"),
        (("show", "shop_app:shop"), "which run"),
        (("frob",), "no such command 'frob' (see: farandole --help)"),
        (("runs", "--frob"), "no such option: --frob (see: farandole runs --help)"),
        (("work",), "missing argument 'APP' (see: farandole work --help)"),
        (("work", "shop_app:shop", "--processes", "none"), "'--processes'"),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(cli: Cli, words: tuple[str, ...], told: str) -> None:
    store = () if words[0] == "frob" or (len(words) == 1 and words[0] == "work") else STORE
    said = cli(*words, *store)
    assert said.code == 2
    assert told in said.err
    assert said.err.count("\n") == 1
    assert said.err.startswith("error: ")


@pytest.mark.parametrize(
    ("store", "told"),
    [
        ("redis://here", "is not a store URL"),
        ("sqlite:////no/such/dir/x.db", "there is no directory /no/such/dir"),
        ("kafka://localhost:1", "check that the broker runs"),
        ("kafka://nosuchhost.invalid:9092?insecure=true", "check that the broker runs"),
    ],
)
@pytest.mark.parametrize("command", [("runs", "-c", "shop"), ("work", "shop_app:shop")])
def test_a_store_that_cannot_be_used_is_one_line_and_code_2(store: str, told: str, command: tuple[str, ...]) -> None:
    said = run(*command, "--store", store)
    assert said.code == 2
    errors = [line for line in said.err.splitlines() if not line.startswith("{")]
    assert len(errors) == 1
    assert told in errors[0]


def test_a_store_that_does_not_answer_is_given_up(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    from farandole.cli import running

    async def silent(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(running, "attach", silent)
    monkeypatch.setattr(running, "PATIENCE", 0.05)
    said = cli("runs", "-c", "shop", "--store", "kafka://host:9092")
    assert said.code == 2
    assert "did not answer within" in said.err


def test_no_store_says_how_to_name_one(cli: Cli) -> None:
    said = cli("runs", "-c", "shop")
    assert said.code == 2
    assert "set FARANDOLE_STORE" in said.err


def test_a_log_that_is_not_there_is_not_made(cli: Cli, tmp_path: "object") -> None:
    said = cli("runs", "-c", "shop", "--store", f"sqlite:///{tmp_path}/none.db")
    assert said.code == 2
    assert "make the log by starting a worker" in said.err
    assert "create=True" not in said.err


def test_debug_shows_the_traceback() -> None:
    said = run("runs", "-c", "shop", "--store", "sqlite:////no/such/dir/x.db", "--debug")
    assert said.code == 1
    assert "Traceback" in said.err


def test_colours_are_left_out_where_they_are_not_wanted() -> None:
    said = run("runs", "-c", "shop", "--store", "redis://here", NO_COLOR="1")
    assert "\x1b" not in said.err


def test_an_unexpected_error_is_one_line_too(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from farandole.cli import listing

    async def defect(*_: object, **__: object) -> int:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr(listing, "runs", defect)
    said = cli("runs", "-c", "shop", *STORE)
    assert said.code == 1
    assert "unexpected ZeroDivisionError: by nought" in said.err


def test_an_error_of_a_group_is_told_like_itself() -> None:
    from farandole.cli.errors import explain

    assert explain(ExceptionGroup("both", [StoreUnavailable("gone")])) == ("gone", 2)
