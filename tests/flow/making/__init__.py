"""Makers of random records, one file for each feature."""

from . import claims, policies
from .maker import Maker

MAKERS: tuple[Maker, ...] = (
    *claims.MAKERS,
    *policies.MAKERS,
)

__all__ = ["MAKERS", "Maker"]
