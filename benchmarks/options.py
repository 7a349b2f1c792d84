"""What all benchmarks are told alike: where the log lives, and where the figures go."""

import argparse
import os
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvloop

from farandole.testing.broker import BrokerFailed, KafkaBroker

STORES = """A URL, or `kafka` (a broker of its own for the length of the benchmark; Java 17 and Maven), `sqlite` (a new
file), `memory`. Default: the environment variable FARANDOLE_STORE, else kafka."""


def parser(module: str, doc: str | None) -> argparse.ArgumentParser:
    """A command line with the options that all benchmarks have."""
    made = argparse.ArgumentParser(
        prog=f"python -m {module}", description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--store", default=os.environ.get("FARANDOLE_STORE", "kafka"), help=STORES)
    made.add_argument(
        "--json",
        nargs="?",
        const="-",
        metavar="FILE",
        help="figures as JSON, to a file or to stdout, instead of a table",
    )
    return made


def measured(
    options: argparse.ArgumentParser, measure: Callable[[str, argparse.Namespace], Coroutine[Any, Any, dict[str, Any]]]
) -> tuple[argparse.Namespace, dict[str, Any]]:
    """Read the command line, and measure on the log that it names."""
    given = options.parse_args()
    with opened(given.store) as url:
        return given, uvloop.run(measure(url, given))


@contextmanager
def opened(store: str) -> Iterator[str]:
    """The URL of the log that ``--store`` names. What was started or made for it ends with the block."""
    if store == "kafka":
        try:
            with KafkaBroker() as broker:
                yield broker.url
        except BrokerFailed as e:
            raise SystemExit(f"{e}\nOr name a broker of yours: --store kafka://host:9092") from e
    elif store == "sqlite":
        with tempfile.TemporaryDirectory(prefix="farandole-bench-") as folder:
            yield f"sqlite:///{Path(folder) / 'bench.db'}"
    else:
        yield "memory://" if store == "memory" else store


def servers_of(url: str) -> str:
    """The brokers of a Kafka URL, as clients take them."""
    return url.removeprefix("kafka://").split("?")[0]
