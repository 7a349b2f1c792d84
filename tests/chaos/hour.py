"""python -m chaos.hour: steps of an hour on a real Kafka, while all other workers come and go and the broker is killed.

One worker has the steps. Each minute two others are ended, every other time by kill -9, and begun anew, which moves
partitions about; the broker is killed twice. Each step is to be begun once and to end once. --seconds makes the hour shorter.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from farandole.reactors import Choreography, Step
from farandole.schemas import End, Start
from farandole.testing.broker import KafkaBroker

STEPS = 8
hour = Choreography("hour")


class Begun(Start):
    seconds: int


class Over(End):
    pid: int


@hour.reactor(timeout="3h")
async def work(begun: Begun, step: Step) -> Over:
    note("begins", step.key)
    for second in range(begun.seconds):
        await asyncio.sleep(1)
        step.progress(second / begun.seconds, f"second {second}")
    note("ends", step.key)
    return Over(pid=os.getpid())


def note(what: str, key: str) -> None:
    with ledger().open("a") as out:
        out.write(f"{what} {key}\n")


def ledger() -> Path:
    return Path(os.environ["HOUR_LEDGER"])


def a_worker(url: str, number: int) -> "subprocess.Popen[bytes]":
    words = [sys.executable, "-m", "farandole.cli", "work", "chaos.hour:hour", "--store", url]
    with ledger().with_name(f"worker-{number}.log").open("ab") as log:
        return subprocess.Popen(words, stdout=log, stderr=log)


async def play(seconds: int) -> int:
    every = min(60.0, seconds / 8)
    with KafkaBroker() as broker:
        workers = [a_worker(broker.url, 0)]
        async with hour.connect(broker.url, partitions=16) as client:
            runs = [await client.start(Begun(seconds=seconds), run_id=f"hour-{n}") for n in range(STEPS)]
            while not ledger().exists() or ledger().read_text().count("begins") < STEPS:
                await asyncio.sleep(0.1)
            began, rounds, kills = time.monotonic(), 0, 0
            while time.monotonic() < began + seconds:
                for other in workers[1:]:
                    (other.kill if rounds % 2 else other.terminate)()
                    await asyncio.to_thread(other.wait)
                workers[1:] = [a_worker(broker.url, number) for number in (1, 2)]
                rounds += 1
                if rounds in (3, 6):
                    broker.kill()
                    broker.start()
                    kills += 1
                await asyncio.sleep(every)
            for run in runs:
                await run.result(Over, timeout="2m")
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()
    lines = ledger().read_text().splitlines()
    counts = {what: sum(line.startswith(what) for line in lines) for what in ("begins", "ends")}
    print(
        f"{STEPS} steps of {seconds} s, {rounds} times others came and went, {kills} times the broker was killed: {counts}"
    )
    return 0 if counts == {"begins": STEPS, "ends": STEPS} else 1


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="chaos.hour", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=3600)
    with tempfile.TemporaryDirectory(prefix="farandole-hour-") as folder:
        os.environ["HOUR_LEDGER"] = str(Path(folder) / "ledger")
        return asyncio.run(play(parser.parse_args().seconds))


if __name__ == "__main__":
    raise SystemExit(main())
