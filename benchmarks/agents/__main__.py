"""The same scripted agent in Farandole, calfkit, LangGraph, DBOS and Temporal: model calls of 50 ms, a no-op tool between two.

    python -m benchmarks.agents --store kafka
    python -m benchmarks.agents --rivals dbos,langgraph --agents 500 --json

Each system has one process, which starts the agents too, in an environment of its own that is made the first time
(``~/.cache/farandole/rivals``); its server is new: an Apache Kafka, a PostgreSQL that waits for the disk, Temporal's
development server. One after the other; a system that fails is reported with its error.

overhead_ms_per_call: how much longer than the model a call of it takes, with its share of the tool, at one agent at a
time. overhead_ms_per_call_of_many: with all agents at once, the time of the machine for each call, less its share of the
50 ms: what limits how many agents a machine has. bytes_per_turn: what is stored for each further turn of a conversation of
so many. resume_s: from a kill with -9 of 20 agents' process, which is started again at once, until half of them call their
model again; resume_last_s: all of them.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.agents.environments import NotThere
from benchmarks.agents.killed import killed
from benchmarks.agents.participant import Participant
from benchmarks.agents.servers import SYSTEMS, server_for
from benchmarks.options import parser
from benchmarks.show import number, say, tell
from farandole.testing.server import ServerFailed

SECONDS = 0.05
_SLACK = 100.0
"""Seconds beyond the time of the crowd that a system has for all else."""


async def measure(rival: str, server: str, given: argparse.Namespace) -> dict[str, Any]:
    """All figures of one system but those of the kill."""
    job = {
        "what": "measure", "rival": rival, "server": server, "seconds": SECONDS, "book": None,
        "agents": given.agents, "calls": given.calls, "limit": given.limit,
    }  # fmt: skip
    async with Participant(rival, job) as participant:
        return await participant.figures(given.limit + _SLACK)


async def kill(rival: str, server: str) -> dict[str, Any]:
    """What a kill costs, on a server of its own: what of a crowd had not ended in time would go on beside it."""
    say(f"{rival}: a kill")
    with tempfile.TemporaryDirectory() as folder:
        try:
            return await killed(rival, server, Path(folder) / "calls", SECONDS)
        except RuntimeError as e:
            return {"kill": f"failed: {e}"}


def contest(rivals: list[str], given: argparse.Namespace) -> dict[str, Any]:
    """Each system in its turn; of one that fails, why."""
    systems: dict[str, Any] = {}
    for rival in rivals:
        say(rival)
        try:
            with server_for(rival, given.store) as server:
                systems[rival] = asyncio.run(measure(rival, server, given))
            if not given.no_kill:
                with server_for(rival, given.store) as server:
                    systems[rival] |= asyncio.run(kill(rival, server))
        except (RuntimeError, NotThere, ServerFailed, OSError) as e:
            say(f"{rival} failed: {e}")
            systems[rival] = {"failed": str(e).strip().rpartition("\n")[2]}
    ours = systems.get("farandole", {}).get("runs_per_s")
    for name, found in systems.items():
        if ours and name != "farandole" and "runs_per_s" in found:
            found["farandole_has_times_the_runs"] = ours / found["runs_per_s"]
    return {"calls": given.calls, "model_ms": SECONDS * 1000, "systems": systems}


def main() -> None:
    options = parser("benchmarks.agents", __doc__)
    options.add_argument("--rivals", default=",".join(SYSTEMS), help=f"which, of {','.join(SYSTEMS)} (default: all)")
    options.add_argument("--agents", type=int, default=500, help="agents at once (default 500)")
    options.add_argument("--calls", type=int, default=5, help="calls of the model of each (default 5)")
    options.add_argument("--limit", type=float, default=45, help="seconds for all agents at once (default 45)")
    options.add_argument("--no-kill", action="store_true", help="without the kill")
    given = options.parse_args()
    rivals = given.rivals.split(",")
    if unknown := set(rivals) - SYSTEMS.keys():
        options.error(f"--rivals: no such system: {', '.join(sorted(unknown))}; there are {', '.join(SYSTEMS)}")
    if given.store in ("sqlite", "memory"):
        options.error("--store: these systems are on Kafka: kafka, or the URL of a broker")
    result = contest(rivals, given)
    shown = {name: {key: number(value) for key, value in its.items()} for name, its in result["systems"].items()}
    tell(result, given.json, title=f"Agents whose model takes {SECONDS * 1000:g} ms", columns=shown)


if __name__ == "__main__":
    main()
