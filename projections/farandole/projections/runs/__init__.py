"""The runs read model: tables of everything that happened to runs, which follow from the log and from nothing else."""

from farandole.projections.sql import Database

from .projector import PACE, Pace, Projector
from .tablespace import RunTables, schema_of

__all__ = ["PACE", "Database", "Pace", "Projector", "RunTables", "schema_of"]
