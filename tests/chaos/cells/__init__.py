"""All cells. Importing this declares them."""

from . import (
    agents,
    brokers,
    clocks,
    deploys,
    handlers,
    kills,
    network,
    nodes,
    sqlite,
    starts,
    tables,
    waiting,
    zombies,
)

__all__ = [
    "agents", "brokers", "clocks", "deploys", "handlers", "kills", "network", "nodes", "sqlite", "starts", "tables", "waiting",
    "zombies",
]  # fmt: skip
