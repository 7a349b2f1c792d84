"""`work`: a worker until SIGTERM, in this process or in several."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from farandole.eventstore import without_secrets

from .errors import CliError
from .leaving import not_held_up
from .logs import set_up
from .options import Format
from .processes import end_with_parent, several
from .running import Target

log = logging.getLogger("farandole.worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """What `work` was told."""

    app: str
    member: str | None = None
    take_over: bool = False
    grace: float = 30.0
    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"
    partitions: int | None = None
    log_level: str = "info"
    log_format: Format | None = None
    parent_pipe: int | None = None

    def words(self) -> Sequence[str]:
        """The command line of a process with these settings."""
        options = {
            "--member": self.member,
            "--grace": self.grace,
            "--metrics-port": self.metrics_port,
            "--metrics-host": self.metrics_host,
            "--partitions": self.partitions,
            "--log-level": self.log_level,
            "--log-format": self.log_format,
        }
        words = ["work", self.app, *(["--take-over"] if self.take_over else [])]
        for name, value in options.items():
            words += [] if value is None else [name, str(value)]
        return words

    def numbered(self, number: int) -> "WorkerSettings":
        """The same for one of several processes: a member name and a port of its own."""
        return replace(
            self,
            member=None if self.member is None else f"{self.member}-{number}",
            metrics_port=self.metrics_port + number - 1 if self.metrics_port else None,
        )


async def work_here(target: Target, settings: WorkerSettings) -> int:
    """Work until SIGTERM or SIGINT."""
    set_up(settings.log_level, settings.log_format)
    end_with_parent(settings.parent_pipe)
    choreography = target.choreography
    log.info("service %s of %s works at %s", choreography.service, choreography.name, without_secrets(target.store))
    async with not_held_up(choreography):
        await choreography.work(
            target.store,
            member=settings.member,
            take_over=settings.take_over,
            grace=settings.grace,
            metrics_port=settings.metrics_port,
            metrics_host=settings.metrics_host,
            partitions=settings.partitions,
        )
        log.info("service %s has stopped", choreography.service)
    return 0


async def work_together(target: Target, settings: WorkerSettings, count: int) -> int:
    """Work in several processes until SIGTERM or SIGINT.

    Raises:
        CliError: processes cannot share this store.
    """
    if target.store.startswith("memory:"):
        raise CliError("processes cannot share a log in memory: use sqlite:/// or kafka://")
    return await several(count, lambda number: settings.numbered(number).words(), store=target.store)
