"""Tables that follow from the log: a batch of records, its rows and its positions in one transaction."""

from . import quiet as _quiet  # noqa: F401

try:
    import alembic as _alembic  # noqa: F401
    import sqlalchemy as _sqlalchemy  # noqa: F401
except ImportError as e:
    raise ImportError(f"read models in SQL need {e.name}: pip install 'farandole[sql]'") from e

from .changes import Changes, Form, Key, Rule
from .database import Database, raw
from .errors import ClaimLost, DatabaseError, DatabaseMisconfigured, DatabaseUnavailable, Overtaken, UnderWay
from .exact import NOWHERE, Exact, Place
from .writing import write

__all__ = [
    "NOWHERE",
    "Changes",
    "ClaimLost",
    "Database",
    "DatabaseError",
    "DatabaseMisconfigured",
    "DatabaseUnavailable",
    "Exact",
    "Form",
    "Key",
    "Overtaken",
    "Place",
    "Rule",
    "UnderWay",
    "raw",
    "write",
]
