"""Programs that the tests of several processes run, and how they are run.

Each prints a line for what it has done, so that the test knows what was promised when it kills it.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count

from controls import a_record
from farandole.eventstore import EventStore, connect


@contextmanager
def running(program: str, url: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A program of this file in a process of its own, killed in the end."""
    process = subprocess.Popen(
        [sys.executable, __file__, program, url, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


async def line(process: subprocess.Popen[str]) -> str:
    """The next line that the program prints; empty if it has ended. The event loop goes on meanwhile."""
    if process.stdout is None:
        raise ValueError("the program was started without a pipe")
    return (await asyncio.to_thread(process.stdout.readline)).strip()


async def append(store: EventStore, writer: str) -> None:
    """Append batches for ever, eight at a time; print partition, offset, tag and size of each acknowledged one."""
    numbers = count()

    async def work() -> None:
        for n in numbers:
            partition, size, tag = n % store.partitions, 1 + n % 4, f"{writer}.{n}"
            batch = [a_record(f"{tag}/{i}/{size}".encode()) for i in range(size)]
            print(partition, await store.append(partition, batch), tag, size, flush=True)

    await asyncio.gather(*(work() for _ in range(8)))


async def append_some(store: EventStore, writer: str, number: str) -> None:
    """Append so many records to partition 0, one after the other."""
    for n in range(int(number)):
        await store.append(0, [a_record(f"{writer}/{n}".encode())])
    print("done", flush=True)


async def echo(store: EventStore) -> None:
    """Answer each record of partition 0 in partition 1."""
    reader = store.reader()
    reader.follow({0: 0})
    print("ready", flush=True)
    while True:
        for batch in await reader.read(wait=60):
            for record in batch:
                await store.append(1, [a_record(record.value)])


async def own(store: EventStore, member: str) -> None:
    """Be a member of the service ``kitchen``, and print what is owned whenever it changes."""
    async with store.own("kitchen", member or None) as ownership:
        while True:
            print(*sorted(await ownership.changed()), flush=True)


PROGRAMS: dict[str, Callable[..., Awaitable[None]]] = {
    "append": append,
    "append_some": append_some,
    "echo": echo,
    "own": own,
}


async def main(program: str, url: str, *arguments: str) -> None:
    async with await connect(url, "dance", partitions=4) as store:
        await PROGRAMS[program](store, *arguments)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
