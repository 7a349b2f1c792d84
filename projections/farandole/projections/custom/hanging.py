"""What hangs on a table that is to go, such as a view: PostgreSQL then drops nothing."""

from collections.abc import Generator
from contextlib import contextmanager

from farandole.projections.sql import DatabaseMisconfigured


@contextmanager
def nothing_hangs(why: str) -> Generator[None, None, None]:
    """Drop tables in here.

    Args:
        why: what is said if something else hangs on one of them.

    Raises:
        DatabaseMisconfigured: something does.
    """
    try:
        yield
    except Exception as e:
        if "DependentObjectsStillExist" not in repr(getattr(e, "orig", e)):
            raise
        raise DatabaseMisconfigured(why) from e
