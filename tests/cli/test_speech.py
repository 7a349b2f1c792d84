"""What several steps say at once is kept apart in a terminal."""

from datetime import UTC, datetime

import pytest

from farandole.cli.output import Output
from farandole.cli.speech import Speech
from farandole.reactors import Live


def piece(reactor: str, text: str, *, anew: bool = False, generation: str = "") -> Live:
    return Live(
        reactor, "t", 1, "text", text, 0, f"{reactor}{generation}", anew, False, False, datetime.now(UTC), 0, generation
    )


@pytest.mark.parametrize("second", [piece("two", "Two", anew=True), piece("one", "Two", anew=True, generation="g")])
def test_two_steps_of_one_trigger_are_two(second: Live, capsys: pytest.CaptureFixture[str]) -> None:
    speech = Speech(Output())
    speech.hear(piece("one", "One", anew=True))
    speech.hear(second)
    assert speech.speaking == "Two"
    speech.hear(piece("one", " more"))
    assert speech.speaking == "One more"
    assert "begins anew" not in capsys.readouterr().out
