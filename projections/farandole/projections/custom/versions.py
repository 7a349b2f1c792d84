"""The version that the tables of a projection say: its class's own, and above that the form in which a release has them.

So tables of an earlier form are those of a lower version, whatever the class says, and are built anew; and code of an earlier
release does not write to those of a later one.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .projection import Projection

A_FORM: Final = 1_000_000
"""Versions of one form."""


def version_of(cls: "type[Projection]") -> int:
    """What its tables say, if they are of this code and of this release."""
    return cls._form * A_FORM + cls.version


def version_told(version: int) -> str:
    """A version of tables, for people."""
    form, own = divmod(version, A_FORM)
    return f"{own} (form {form})" if form else str(own)


def own_version(version: int) -> int:
    """The class's own, of a version of tables."""
    return version % A_FORM
