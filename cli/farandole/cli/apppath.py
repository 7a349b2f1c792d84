"""``module:attribute``: from the words at the command line to a choreography."""

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Final

import farandole.reactors
import farandole.schemas
from farandole.reactors import Choreography
from farandole.schemas import DeclarationError, FarandoleError

from .errors import CliError, did_you_mean, one_line

_OURS: Final = [Path(file).parent for file in (__file__, farandole.reactors.__file__, farandole.schemas.__file__)]


def load_app(path: str, *, whole: bool = True) -> Choreography:
    """Import the choreography that an app path names, with the modules that it includes.

    The working directory is importable. A file can be named in place of a module: ``orders/payments.py:orders``.

    Args:
        path: at the command line.
        whole: whether it must be fit for work; else it is only imported, to be looked at.

    Raises:
        CliError: the path leads to no choreography; says where it breaks off.
        DeclarationError: the choreography is declared wrongly.
    """
    found, _ = load_object(path)
    if not isinstance(found, Choreography):
        raise CliError(f"'{path}' is a {type(found).__name__}, not a Choreography")
    try:
        if whole:
            found.load()
        else:
            found.include()
    except FarandoleError:
        raise
    except Exception as e:
        raise _broken(f"'{path}' cannot be loaded", e) from e
    return found


def load_object(path: str) -> tuple[object, ModuleType]:
    """Whatever an app path names, and the module that it is in.

    Raises:
        CliError: the path leads nowhere; says where it breaks off.
        DeclarationError: something in the module is declared wrongly.
    """
    module_name, colon, attribute = path.rpartition(":")
    if not colon or not module_name or not attribute:
        raise CliError(f"'{path}' is no app path: write module:attribute, such as orders.payments:orders")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    module = _import(_module_of(module_name))
    found: object = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            known = [n for n, value in vars(module).items() if isinstance(value, Choreography)]
            raise CliError(
                f"module '{module.__name__}' has no attribute '{attribute}'"
                + (did_you_mean(attribute, known) if known else " and no Choreography at all")
            )
        found = getattr(found, part)
    return found, module


def _module_of(name: str) -> str:
    """The module that a file is, by the packages it lies in; its root becomes importable."""
    if not (name.endswith(".py") or "/" in name):
        return name
    file = Path(name).resolve()
    if not file.is_file():
        raise CliError(f"there is no file {name}")
    root, parts = file.parent, [file.stem]
    while (root / "__init__.py").exists():
        parts.insert(0, root.name)
        root = root.parent
    if root != Path.cwd() and str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except DeclarationError as e:
        raise CliError(f"{one_line(e)}{_where(e)}") from e
    except FarandoleError:
        raise
    except ModuleNotFoundError as e:
        if e.name is not None and f"{name}.".startswith(f"{e.name}."):
            wanted = "" if e.name == name else f" (for '{name}')"
            raise CliError(
                f"there is no module '{e.name}'{wanted}; run this where it can be imported from, or name the "
                "file: path/to/file.py:attribute"
            ) from e
        raise _broken(f"module '{name}' cannot be imported", e) from e
    except (Exception, SystemExit) as e:
        raise _broken(f"module '{name}' cannot be imported", e) from e


def _broken(what: str, error: BaseException) -> CliError:
    if isinstance(error, SyntaxError):
        where = f"{_short(error.filename or '?')}, line {error.lineno}"
        return CliError(f"{what}: {type(error).__name__}: {error.msg} ({where})")
    return CliError(f"{what}: {type(error).__name__}: {one_line(error)}{_where(error)}")


def _where(error: BaseException) -> str:
    """The last line of the user's own code that an error passed."""
    others = ("importlib", "site-packages", "<string>")
    own = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if not any(other in f.filename for other in others) and not any(p in Path(f.filename).parents for p in _OURS)
    ]
    return f" ({_short(own[-1].filename)}, line {own[-1].lineno}: {own[-1].line})" if own else ""


def _short(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
