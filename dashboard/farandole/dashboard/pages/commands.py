"""What is done on a page, as a command."""

import shlex
from collections.abc import Callable
from typing import Any

Command = Callable[..., str]


def commands(desk: Any) -> Command:
    """Makes commands about the choreography and the log of a desk: a verb, and further words.

    What takes or draws events needs their code, so that such a command names the app, which only its reader knows.
    """

    def command(verb: str, *words: str) -> str:
        of = ["APP"] if verb in ("start", "send", "work", "graph") else ["-c", desk.choreography]
        options = ["--db", desk.db_url] if verb in ("rebuild", "verify", "costs") else []
        where = [] if verb in ("graph", "costs") else ["--store", desk.store_url]
        return shlex.join(["farandole", verb, *of, *words, *where, *options])

    return command
