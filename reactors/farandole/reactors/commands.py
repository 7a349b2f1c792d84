"""Commands that messages name as a cure, as a shell takes them."""

from shlex import quote


def command_line(verb: str, run_id: str, choreography: str, store: str) -> str:
    """A command about one run that works from wherever it is given.

    Args:
        store: the log's URL without secrets; one in memory is left out, for no other process sees it.
    """
    where = "" if store.startswith("memory:") else f" --store {quote(store)}"
    return f"farandole {verb} {quote(run_id)} --choreography {choreography}{where}"
