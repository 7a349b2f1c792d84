"""Names of appends are random, and never shared, not even by the children of a fork."""

import os

from farandole.schemas.ids import new_append


def test_no_two_appends_have_one_name() -> None:
    names = [new_append() for _ in range(10_000)]
    assert len(set(names)) == len(names)
    assert {len(name) for name in names} == {16}


def test_the_child_of_a_fork_draws_names_of_its_own() -> None:
    new_append()
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, b"".join(new_append() for _ in range(100)))
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        theirs = pipe.read()
    assert len(theirs) == 1600
    assert not {theirs[at : at + 16] for at in range(0, 1600, 16)} & {new_append() for _ in range(300)}
