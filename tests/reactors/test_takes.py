"""Of the takes of a step the newest is heard, whatever comes twice, too late or not at all."""

from datetime import UTC, datetime

from farandole.reactors import Live
from farandole.reactors.live import Takes


def piece(
    text: str, index: int, *, take: str = "a", attempt: int = 1, reactor: str = "speak", lost: bool = False
) -> Live:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Live(reactor, "trigger", attempt, "text", text, index, take, False, lost, False, at, 0)


def shown(*pieces: Live) -> list[tuple[str, bool, bool]]:
    """What is shown of it: the text, whether it begins anew, and whether something before it is lost."""
    takes = Takes()
    found = [takes.shown(each) for each in pieces]
    return [(each.text, each.anew, each.lost) for each in found if each is not None]


def test_the_first_piece_begins_and_the_others_go_on() -> None:
    assert shown(piece("It ", 0), piece("will ", 1), piece("rain.", 2)) == [
        ("It ", True, False), ("will ", False, False), ("rain.", False, False),
    ]  # fmt: skip


def test_what_comes_twice_is_shown_once() -> None:
    assert shown(piece("It ", 0), piece("will ", 1), piece("It ", 0), piece("will ", 1), piece("rain.", 2)) == [
        ("It ", True, False), ("will ", False, False), ("rain.", False, False),
    ]  # fmt: skip


def test_what_is_missing_is_said() -> None:
    assert shown(piece("It ", 0), piece("rain.", 2)) == [("It ", True, False), ("rain.", False, True)]
    assert shown(piece("rain.", 2)) == [("rain.", True, True)]
    assert shown(piece("It ", 0), piece("rain.", 1, lost=True)) == [("It ", True, False), ("rain.", False, True)]


def test_a_later_attempt_takes_the_place_of_an_earlier_one_and_not_the_other_way_round() -> None:
    assert shown(
        piece("It ", 0), piece("No ", 0, take="b", attempt=2), piece("will ", 1), piece("rain.", 1, take="b", attempt=2)
    ) == [("It ", True, False), ("No ", True, False), ("rain.", False, False)]
    assert shown(piece("No ", 0, take="b", attempt=2), piece("It ", 0)) == [("No ", True, False)]


def test_of_one_attempt_in_two_hands_the_one_that_began_last_is_heard() -> None:
    assert shown(
        piece("It ", 0), piece("It ", 0, take="b"), piece("will ", 1), piece("snow.", 1, take="b"), piece("rain.", 2)
    ) == [("It ", True, False), ("It ", True, False), ("snow.", False, False)]


def test_steps_are_heard_apart() -> None:
    assert shown(piece("A ", 0), piece("B ", 0, reactor="other", take="b"), piece("a.", 1)) == [
        ("A ", True, False), ("B ", True, False), ("a.", False, False),
    ]  # fmt: skip
