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
    ModelMalformed,
    ModelMisbehaved,
    ModelRefused,
    ModelRejected,
    ModelUnreachable,
    RateLimited,
    ServerUnreachable,
    TurnsSpent,
)
from .events import ModelReplied, ModelRequested, ToolApproved, ToolCalled, ToolDenied, ToolProposed, ToolReturned
from .found import FoundTool
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
    "ContextPolicy",
    "FoundTool",
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
    "Retries",
    "RunTool",
    "Served",
    "ServerUnreachable",
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
