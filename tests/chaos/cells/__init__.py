"""All cells. Importing this declares them."""

from . import brokers, clocks, deploys, handlers, kills, network, nodes, sqlite, starts, tables, waiting, zombies

__all__ = [
    "brokers", "clocks", "deploys", "handlers", "kills", "network", "nodes", "sqlite", "starts", "tables", "waiting", "zombies",
]  # fmt: skip
