"""What a dashboard works with: one choreography's tables and log."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from farandole.eventstore import EventStore, without_secrets
from farandole.projections import Runs
from farandole.projections.runs import Projector
from farandole.reactors.client import Client
from farandole.schemas import Event

if TYPE_CHECKING:
    from .live import Hub
    from .metering import Metering


@dataclass(slots=True, kw_only=True)
class Desk:
    """What requests are answered from. ``request.app.state.desk``.

    Attributes:
        runs: answers questions.
        client: appends what people ask for.
        events: the event types that this process knows, by name; without the app's code there are none, and nothing can
            be started, sent or answered.
        projector: the one that keeps the tables, if it is in this process.
        hub: tells those who look on what changes; made by `create_app` if it is not given.
        metrics: what ``/metrics`` shows.
        trouble: says what keeps the tables of runs from going on, if something does.
        beside: says what is wrong with what else is at work in this process. Pages do not depend on it: it is told by
            ``/readyz`` and on the page of projections.
    """

    runs: Runs
    client: Client
    events: Mapping[str, type[Event]] = field(default_factory=dict)
    projector: Projector | None = None
    hub: "Hub | None" = None
    metrics: "Metering | None" = None
    trouble: Callable[[], str | None] = lambda: None
    beside: Callable[[], str | None] = lambda: None

    @property
    def choreography(self) -> str:
        """Its name."""
        return self.runs.choreography

    @property
    def store(self) -> EventStore:
        """Its log."""
        return self.client.store

    @property
    def store_url(self) -> str:
        """Where the log is, without secrets."""
        return without_secrets(self.client.store.url)

    @property
    def db_url(self) -> str:
        """Where the tables are, without secrets."""
        return self.runs.database.url
