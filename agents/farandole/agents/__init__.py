"""Agents: an event is taken, a model calls tools, an event is given; every call is a step of the run.

Model access is that of Pydantic AI: all its providers, its tool schemas, its test models.
"""

from .agent import Agent
from .approval import Approval, ToolUse
from .budget import Budget
from .context import ContextPolicy, recent
from .errors import (
    Blocked,
    BudgetSpent,
    ContentLost,
    ContentNotKept,
    ModelMalformed,
    ModelMisbehaved,
    ModelRefused,
    ModelRejected,
    ModelUnreachable,
    RateLimited,
    ServerUnreachable,
    TurnsSpent,
)
from .events import (
    ModelReplied,
    ModelRequested,
    ReplyDeferred,
    ToolApproved,
    ToolCalled,
    ToolDenied,
    ToolProposed,
    ToolReturned,
)
from .folder import Folder
from .found import FoundTool
from .large import Kept, Large, Store
from .remembering import Remembering
from .retries import Retries
from .scripted import Call, scripted
from .servers import McpServer
from .serving import Served
from .tools import Provided, RunTool, Tool

__all__ = [
    "Agent",
    "Approval",
    "Blocked",
    "Budget",
    "BudgetSpent",
    "Call",
    "ContentLost",
    "ContentNotKept",
    "ContextPolicy",
    "Folder",
    "FoundTool",
    "Kept",
    "Large",
    "McpServer",
    "ModelMalformed",
    "ModelMisbehaved",
    "ModelRefused",
    "ModelRejected",
    "ModelReplied",
    "ModelRequested",
    "ModelUnreachable",
    "Provided",
    "RateLimited",
    "Remembering",
    "ReplyDeferred",
    "Retries",
    "RunTool",
    "Served",
    "ServerUnreachable",
    "Store",
    "Tool",
    "ToolApproved",
    "ToolCalled",
    "ToolDenied",
    "ToolProposed",
    "ToolReturned",
    "ToolUse",
    "TurnsSpent",
    "recent",
    "scripted",
]
