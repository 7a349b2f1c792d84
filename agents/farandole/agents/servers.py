"""Tools of an MCP server, which a model may call: as many as the server has, which may change while it runs."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from pydantic import TypeAdapter

from farandole.reactors import Retry
from farandole.schemas import DeclarationError, Duration

from .approval import Needs
from .tools import as_json

Where: TypeAlias = str | Sequence[str] | Callable[[], Any]
"""The URL of a server, the command that starts one, or what makes a transport of the package ``mcp``."""

_NAME: Final = re.compile(r"[a-z][a-z0-9]{0,29}")
_ARGS: Final = TypeAdapter(dict[str, Any])
_PATIENT: Final = Retry(attempts=10, first="1s", most="2m")


@dataclass(frozen=True, eq=False)
class McpServer:
    """An MCP server, whose tools a model may call. Each call is a step, as of any tool.

    The model knows a tool by the server's name and its own: ``files_read``. A worker connects when it first needs to,
    and again when the connection was lost; what was called then is called again, as ``retry`` says. A server can tell
    by ``_meta["farandole/key"]`` that it is the same call.

    Attributes:
        name: of small letters and digits.
        where: a URL (streamable HTTP), a command with its arguments (stdio), or a function that makes a transport.
        needs_approval: whether a person must allow a call, of all tools, or by the names that the server has for them.
        only: the tools that the model is told of, by the names that the server has for them; None: all.
        env: of the command, besides what is safe to inherit.
        retry: how often a call that got no answer is made before the model is told.
        timeout: in which a server is to answer; None: whenever. To start and be connected to, it may take 30 s at least,
            besides. One that lets it pass and then answers nothing at all is started anew.
        repeat: False: where a worker was lost in the midst of a call, or the server gave no answer, it is not made again,
            and the model is told that nobody knows whether it took effect.
        concurrency: calls at once in one worker.
    """

    name: str
    where: Where
    needs_approval: "Needs | Mapping[str, Needs]" = field(default=False, kw_only=True)
    only: Sequence[str] | None = field(default=None, kw_only=True)
    env: Mapping[str, str] | None = field(default=None, kw_only=True, repr=False)
    retry: Retry = field(default=_PATIENT, kw_only=True)
    timeout: Duration | None = field(default="5m", kw_only=True)
    repeat: bool = field(default=True, kw_only=True)
    concurrency: int = field(default=100, kw_only=True)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise DeclarationError(f"MCP server {self.name!r}: a name is of small letters and digits, 30 at most")

    def tool(self, called: str) -> str | None:
        """The server's own name of a tool, from that which the model calls; None if it is none of this server."""
        tool = called.removeprefix(f"{self.name}_")
        return None if tool == called or (self.only is not None and tool not in self.only) else tool

    def needs(self, called: str) -> Needs:
        """Whether a call needs approval, by the name that the model calls."""
        needs = self.needs_approval
        if isinstance(needs, Mapping):
            return needs.get(self.tool(called) or "", False)
        return needs

    @property
    def asks(self) -> bool:
        """Whether a call of some tool may need approval."""
        needs = self.needs_approval
        return any(needs.values()) if isinstance(needs, Mapping) else bool(needs)

    def arguments(self, args: object) -> dict[str, Any]:
        """What the model gave, as the server is sent it, which looks whether it fits.

        Raises:
            pydantic.ValidationError: it is no object.
        """
        return _ARGS.validate_json(as_json(args))
