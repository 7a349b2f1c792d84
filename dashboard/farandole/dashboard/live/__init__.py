"""What changes, as it changes."""

from .hub import Hub

__all__ = ["Hub"]
