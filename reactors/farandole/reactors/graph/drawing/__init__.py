"""Graphs as text for Mermaid and Graphviz, and as pictures."""

from .dot import dot
from .mermaid import mermaid
from .picture import picture_of
from .svg import svg

__all__ = ["dot", "mermaid", "picture_of", "svg"]
