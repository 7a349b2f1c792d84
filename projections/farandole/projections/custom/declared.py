"""A declaration as it is kept beside the rows that it made, to be compared with the code that goes on with them."""

import ast
import inspect
import json
import textwrap
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from sqlalchemy import Table
from sqlalchemy.schema import CreateIndex, CreateTable, sort_tables

from .projection import Projection, handlers, tables_of


def made_tables(projection: type[Projection]) -> list[Table]:
    """The tables that are made for a projection, those that others refer to first."""
    return list(sort_tables([table for table in tables_of(projection).values() if table is not None]))


def forms_of(projection: type[Projection], dialect: Any) -> dict[str, str]:
    """By name, how its tables are made."""
    found: dict[str, str] = {}
    for table in made_tables(projection):
        parts = [str(CreateTable(table).compile(dialect=dialect))]
        parts += sorted(str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes)
        found[table.name] = ";\n".join(" ".join(part.split()) for part in parts)
    return found


def packed(forms: Mapping[str, str]) -> str:
    return json.dumps(forms, sort_keys=True)


def fingerprint_of(projection: type[Projection]) -> str:
    """Of what makes its rows: the events that it takes, and its code without comments and layout."""
    taken = {name: (handler.name, handler.many) for name, handler in handlers(projection).items()}
    code = [_code(cls) for cls in projection.__mro__ if issubclass(cls, Projection) and cls is not Projection]
    said = json.dumps([taken, code], sort_keys=True)
    return blake2b(said.encode(), digest_size=8).hexdigest()


def _code(cls: type) -> str:
    try:
        (found,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return ""
    assert isinstance(found, ast.ClassDef)
    # Decorators say who runs it, and the version is compared by itself.
    return ast.unparse(ast.Module([each for each in found.body if not _is_said_elsewhere(each)], []))


def _is_said_elsewhere(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return True
    named = [target.id for target in getattr(statement, "targets", ()) if isinstance(target, ast.Name)]
    return isinstance(statement, ast.Assign) and named in (["version"], ["on_error"])
