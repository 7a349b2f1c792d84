"""All cells. Importing this declares them."""

from . import brokers, clocks, deploys, handlers, kills, network, nodes, sqlite, starts, waiting, zombies

__all__ = [
    "brokers", "clocks", "deploys", "handlers", "kills", "network", "nodes", "sqlite", "starts", "waiting", "zombies",
]  # fmt: skip
