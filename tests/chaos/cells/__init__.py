"""All cells. Importing this declares them."""

from . import (
    agents,
    blocked,
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
    "agents", "blocked", "brokers", "clocks", "deploys", "handlers", "kills", "network", "nodes", "sqlite", "starts", "tables", "waiting",
    "zombies",
]  # fmt: skip
