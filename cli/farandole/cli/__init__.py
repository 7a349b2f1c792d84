"""The command line ``farandole``."""

from .entry import main

__all__ = ["main"]
