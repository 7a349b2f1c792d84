"""Makers of random records, one file for each feature."""

from . import claims, compensation, policies
from .maker import Maker

MAKERS: tuple[Maker, ...] = (
    compensation.UNDOING,
    compensation.EDITED,
    *claims.MAKERS,
    *policies.MAKERS,
)

__all__ = ["MAKERS", "Maker"]
