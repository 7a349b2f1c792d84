"""Makers of random records, one file for each feature."""

from .maker import Maker

MAKERS: tuple[Maker, ...] = ()

__all__ = ["MAKERS", "Maker"]
