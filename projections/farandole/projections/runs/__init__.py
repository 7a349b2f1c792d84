"""The runs read model: tables of everything that happened to runs, which follow from the log and from nothing else."""

from farandole.projections.sql import Database

from .projector import PACE, Pace, Projector
from .rebuilding import Progress, fill_part, rebuild
from .retention import cut_for, retire
from .tablespace import RunTables, schema_of
from .verifying import Difference, Verified, verify

__all__ = [
    "PACE",
    "Database",
    "Difference",
    "Pace",
    "Progress",
    "Projector",
    "RunTables",
    "Verified",
    "cut_for",
    "fill_part",
    "rebuild",
    "retire",
    "schema_of",
    "verify",
]
