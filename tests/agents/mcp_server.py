"""An MCP server: ``python mcp_server.py LEDGER [PORT]``. Each call stands in the ledger. Without a port on stdio.

If there is a file ``slow_start`` beside the ledger, the server takes three seconds to start, from the second time on.
"""

import asyncio
import os
import sys
import threading
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

ledger = Path()
server = MCPServer("shop")


def note(line: str) -> None:
    with ledger.open("a") as file:
        file.write(f"{os.getpid()} {line}\n")


@server.tool()
async def look_up(order: str) -> str:
    """What became of an order."""
    note(f"look_up {order}")
    return f"order {order} was lost"


@server.tool()
async def refund(order: str, usd: int, ctx: Context[Any, Any]) -> dict[str, Any]:
    """Pay an order back."""
    meta = ctx.request_context.meta or {}
    note(f"refund {order} {dict(meta).get('farandole/key', '')}")
    return {"order": order, "usd": usd}


@server.tool()
async def traced(ctx: Context[Any, Any]) -> str:
    """Says of which trace the call is."""
    note("traced")
    return str(dict(ctx.request_context.meta or {}).get("traceparent", ""))


@server.tool()
async def fails(why: str) -> str:
    """Fails."""
    note("fails")
    raise ToolError(why)


@server.tool()
async def dies_once() -> str:
    """Ends the server the first time that it is called."""
    died = "dies_once" in (ledger.read_text() if ledger.exists() else "")
    note("dies_once")
    if not died:
        os._exit(3)
    return "alive"


@server.tool()
async def slow() -> str:
    """Takes longer than anybody waits."""
    note("slow")
    await asyncio.Event().wait()
    return "never"


@server.tool()
async def hangs() -> str:
    """Holds up the whole server."""
    note("hangs")
    threading.Event().wait()
    return "never"


@server.tool()
async def waits(name: str) -> str:
    """Answers once the file of this name is beside the ledger."""
    note(f"waits {name}")
    while not (ledger.parent / name).exists():
        await asyncio.sleep(0.02)
    return "waited"


@server.tool()
async def bends() -> dict[str, Any]:
    """Gives what does not fit what the server says of it."""
    note("bends")
    return {"number": "none"}


def lie() -> None:
    """Say that what bends gives is a number."""
    tool = server._tool_manager.get_tool("bends")
    assert tool is not None
    tool.fn_metadata.output_schema = {"type": "object", "properties": {"number": {"type": "integer"}}}


if __name__ == "__main__":
    ledger = Path(sys.argv[1])
    lie()
    if (ledger.parent / "slow_start").exists() and ledger.exists():
        threading.Event().wait(3)
    note("started")
    if len(sys.argv) > 2:
        server.run("streamable-http", port=int(sys.argv[2]))
    else:
        server.run("stdio")
