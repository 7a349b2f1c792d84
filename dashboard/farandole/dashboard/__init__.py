"""Runs as people see them, and what people do to them: an HTTP API, a live stream, and pages, from one process.

It reads the tables of runs, and appends to the log what people ask for. Nothing depends on it: runs go on without.
"""

try:
    import fastapi as _fastapi  # noqa: F401
    import itsdangerous as _itsdangerous  # noqa: F401
    import jinja2 as _jinja2  # noqa: F401
    import python_multipart as _multipart  # noqa: F401
    import sse_starlette as _sse  # noqa: F401
    import uvicorn as _uvicorn  # noqa: F401
except ImportError as e:
    raise ImportError(f"the dashboard needs {e.name}: pip install 'farandole[dashboard]'") from e

from .app import create_app
from .auth.tokens import Token, Tokens
from .callers import Caller, Role
from .desk import Desk
from .errors import DashboardError, DashboardMisconfigured, Problem
from .settings import Oidc, Proxy, Settings

__all__ = [
    "Caller",
    "DashboardError",
    "DashboardMisconfigured",
    "Desk",
    "Oidc",
    "Problem",
    "Proxy",
    "Role",
    "Settings",
    "Token",
    "Tokens",
    "create_app",
]
