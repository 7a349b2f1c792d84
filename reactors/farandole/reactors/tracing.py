"""Traces over the hops of a run (OpenTelemetry), by its conventions for messaging.

Off unless ``FARANDOLE_TRACING`` says ``true``: then nothing of this module is called and no header is written. The SDK,
its exporters and its sampling are the program's own; here is only its API.

What a client sends is a span ``send <topic>``, and its context goes along with the record as the W3C header
``traceparent``. A step is a span ``process <topic>``, linked to the contexts of the records that it takes; what it emits
carries its own. A step that takes one record continues the trace of that one, so that a run without joins is one trace;
one that takes several begins a trace of its own. No header of a trace is ever folded.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from farandole.eventstore import Record, Stored
from farandole.schemas import DeclarationError
from farandole.schemas.envelope import Header

from .shown import text
from .trace_headers import carried
from .written import Written

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext, TracerProvider

    from .dispatch import Work

VARIABLE: Final = "FARANDOLE_TRACING"
MOST_LINKS: Final = 128
"""Records that a span is linked to, as many as SDKs keep by default."""
# The names of OpenTelemetry's conventions for messaging, which are still in development: all of them are here.
SYSTEM: Final = "messaging.system"
OPERATION: Final = "messaging.operation.name"
OPERATION_TYPE: Final = "messaging.operation.type"
DESTINATION: Final = "messaging.destination.name"
PARTITION: Final = "messaging.destination.partition.id"
GROUP: Final = "messaging.consumer.group.name"
OFFSET: Final = "messaging.kafka.offset"
MESSAGE: Final = "messaging.message.id"
CONVERSATION: Final = "messaging.message.conversation_id"
ERROR: Final = "error.type"
RUN: Final = "farandole.run.id"
REACTOR: Final = "farandole.reactor"
ATTEMPT: Final = "farandole.attempt"
TYPE: Final = "farandole.event.type"


def tracing_of(choreography: str, url: str, service: str = "") -> "Tracing | None":
    """How what a process does is traced; None while tracing is off.

    Args:
        url: of the store.
        service: whose worker it is; empty: a client.

    Raises:
        DeclarationError: tracing is on, and what it needs is not installed.
    """
    said = os.environ.get(VARIABLE, "").lower()
    if said in ("", "0", "false"):
        return None
    if said not in ("1", "true"):
        raise DeclarationError(f"{VARIABLE}={said} is neither true nor false")
    try:
        return Tracing(choreography, url.partition(":")[0], service)
    except ImportError:
        raise DeclarationError(
            f"{VARIABLE} is set, and OpenTelemetry is not installed: pip install 'farandole[otel]'"
        ) from None


class Tracing:
    """Makes the spans of one process.

    Args:
        system: ``kafka``, or what else the log is kept by.
        provider: makes the spans; the program's own by default.
    """

    def __init__(
        self, choreography: str, system: str, service: str = "", provider: "TracerProvider | None" = None
    ) -> None:
        from opentelemetry import trace
        from opentelemetry.context import Context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._trace = trace
        self._nothing = Context()
        self._w3c = TraceContextTextMapPropagator()
        self._tracer = trace.get_tracer("farandole", tracer_provider=provider)
        self._topic = f"{choreography}.events"
        self._common: dict[str, str | int] = {SYSTEM: system, DESTINATION: self._topic}
        if service:
            self._common[GROUP] = f"{choreography}.{service}"

    @contextmanager
    def sending(self, record: Record, partition: int) -> Iterator[Record]:
        """A client's append, and the record as it is to be appended."""
        headers = dict(record.headers)
        told = self._common | {
            OPERATION: "send",
            OPERATION_TYPE: "send",
            PARTITION: str(partition),
            MESSAGE: text(headers.get("ce_id", b"")),
            TYPE: text(headers.get("ce_type", b"")),
            RUN: text(record.key or b""),
            CONVERSATION: text(record.key or b""),
        }
        with self._tracer.start_as_current_span(
            f"send {self._topic}", kind=self._trace.SpanKind.PRODUCER, attributes=told
        ):
            yield _with(record, self._context_here())

    @contextmanager
    def step(self, work: "Work", taken: Sequence[Stored]) -> Iterator[None]:
        """One attempt at a step. Spans of the handler are below it.

        Args:
            taken: the records that the step takes, as far as they can be had.
        """
        contexts = [context for record in taken if (context := self._context(record)) is not None]
        parent = self._nothing
        if len(contexts) == 1:
            parent = self._trace.set_span_in_context(self._trace.NonRecordingSpan(contexts[0]), parent)
        told = self._common | {
            OPERATION: "process",
            OPERATION_TYPE: "process",
            PARTITION: str(work.serving.fold.partition),
            RUN: text(work.run.id),
            CONVERSATION: text(work.run.id),
            MESSAGE: text(work.pair.trigger),
            REACTOR: work.reactor.name,
            ATTEMPT: work.attempt,
            OFFSET: max(work.pair.inputs, default=-1),
        }
        with self._tracer.start_as_current_span(
            f"process {self._topic}", context=parent, kind=self._trace.SpanKind.CONSUMER, attributes=told,
            links=[self._trace.Link(context) for context in contexts],
        ):  # fmt: skip
            yield

    def emits(self, written: Written) -> Written:
        """What the step at work emits, as it is to be appended."""
        carried = self._context_here()
        records = [_with(record, carried) for record in written.records]
        more = sum(len(name) + len(value) for name, value in carried)
        return Written(records, written.size + more * len(records), written.largest + more)

    def failed(self, record: Record, error: Exception) -> Record:
        """That the step at work failed, as it is to be appended. Why it did may be secret, and stands in the log alone."""
        span = self._trace.get_current_span()
        span.set_attribute(ERROR, type(error).__qualname__)
        span.set_status(self._trace.StatusCode.ERROR)
        return _with(record, self._context_here())

    def _context(self, record: Stored) -> "SpanContext | None":
        carrier = {name: value.decode("ascii", "replace") for name, value in carried(record.headers)}
        if not carrier:
            return None
        context = self._trace.get_current_span(self._w3c.extract(carrier, self._nothing)).get_span_context()
        return context if context.is_valid else None

    def _context_here(self) -> list[Header]:
        carrier: dict[str, str] = {}
        self._w3c.inject(carrier)
        return [(name, value.encode()) for name, value in carrier.items()]


def _with(record: Record, carried: Sequence[Header]) -> Record:
    return record._replace(headers=[*record.headers, *carried])
