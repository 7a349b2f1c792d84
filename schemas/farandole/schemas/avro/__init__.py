"""Avro, derived from pydantic models: schemas, and conversions to and from fastavro's data."""

from .derive import DEADLINE, KIND, VERSION, Derived, derive, fingerprint_of
from .node import Misfit, Unsayable

__all__ = ["DEADLINE", "KIND", "VERSION", "Derived", "Misfit", "Unsayable", "derive", "fingerprint_of"]
