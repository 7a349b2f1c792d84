"""Agents of other frameworks: their loops run in a reactor, their calls of models and tools are recorded one by one.

A framework's module is imported by whoever uses it, and needs that framework installed:

======================  ===========================  ==================
module                  for                          extra
======================  ===========================  ==================
``pydantic_ai``         Pydantic AI                  ``agents``
``openai_agents``       the OpenAI Agents SDK        ``openai-agents``
``langchain``           LangChain and LangGraph      ``langgraph``
======================  ===========================  ==================
"""

from .adapted import Adapted
from .calls import CallNotKept, ModelCall, NotDurable, Strayed, ToolCall
from .recording import call_key, durably

__all__ = ["Adapted", "CallNotKept", "ModelCall", "NotDurable", "Strayed", "ToolCall", "call_key", "durably"]
