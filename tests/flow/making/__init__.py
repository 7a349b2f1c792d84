"""Makers of random records, one file for each feature."""

from .children import CHILDREN
from .maker import Maker

MAKERS: tuple[Maker, ...] = (CHILDREN,)

__all__ = ["MAKERS", "Maker"]
