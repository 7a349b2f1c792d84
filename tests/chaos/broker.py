"""The brokers that cells kill, restart, and cut off."""

from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self

from farandole.testing.broker import KafkaBroker, Listener, new_cluster
from farandole.testing.server import free_port

PROXIED: Final = "PROXIED"


class TheBroker:
    """A real broker, started when a cell first needs it. Use as a context manager."""

    def __init__(self) -> None:
        self._broker: KafkaBroker | None = None

    def running(self) -> KafkaBroker:
        """The broker; its listener PROXIED is advertised at a port where a proxy may stand."""
        if self._broker is None:
            self._broker = KafkaBroker(listeners=[Listener(PROXIED, advertised=free_port())])
        return self._broker.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._broker is not None:
            self._broker.close()


class ThreeBrokers:
    """A cluster of three brokers, as one should have it: three replicas, two of which must be in sync.

    Use as a context manager.
    """

    def __init__(self) -> None:
        ports, cluster = [free_port() for _ in range(3)], new_cluster()
        voters = ",".join(f"{n}@127.0.0.1:{port}" for n, port in enumerate(ports, 1))
        self.brokers = [
            KafkaBroker(
                controller=port,
                cluster=cluster,
                heap="400m",
                config={
                    "node.id": str(n),
                    "controller.quorum.voters": voters,
                    "offsets.topic.replication.factor": "3",
                    "transaction.state.log.replication.factor": "3",
                    "share.coordinator.state.topic.replication.factor": "3",
                    "broker.session.timeout.ms": "3000",
                },
            )
            for n, port in enumerate(ports, 1)
        ]

    @property
    def bootstrap(self) -> str:
        return ",".join(broker.bootstrap for broker in self.brokers)

    def __enter__(self) -> Self:
        # One that is alone has no quorum, and does not come up.
        with ThreadPoolExecutor(len(self.brokers)) as threads:
            list(threads.map(KafkaBroker.start, self.brokers))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for broker in self.brokers:
            broker.close()
