"""Forks processes that append to an SQLite file, and kills them: python -m chaos.nursery URL KILLS AT_ONCE SEED

Forked, because a new interpreter takes a second to start, and a thousand are wanted. What the writers say of
acknowledged appends is passed on. Each is killed once it has said a random number of lines, and a moment later; one in
ten while it may still be opening the file.
"""

import asyncio
import os
import signal
import sys
import threading
import time
from random import Random

import eventstore_processes

MOST_LINES = 15
MOMENT = 0.01
OPENING = 0.1


def main() -> None:
    url, kills, at_once, random = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Random(sys.argv[4])
    for done in range(0, kills, at_once):
        writers = [_fork(url, f"w{done + n}") for n in range(min(at_once, kills - done))]
        ends = [threading.Thread(target=_end, args=(*writer, Random(random.random()))) for writer in writers]
        for end in ends:
            end.start()
        for end in ends:
            end.join()


def _fork(url: str, writer: str) -> tuple[int, int]:
    """A writer's process, and where it is read. There are no threads while this is called."""
    read, write = os.pipe()
    if pid := os.fork():
        os.close(write)
        return pid, read
    try:
        os.dup2(write, 1)
        asyncio.run(eventstore_processes.main("append", url, writer))
    finally:
        os._exit(1)


def _end(pid: int, pipe: int, random: Random) -> None:
    with os.fdopen(pipe, "rb") as said:
        if random.random() < 0.1:
            time.sleep(random.uniform(0, OPENING))
        else:
            for _ in range(random.randrange(1, MOST_LINES)):
                _pass_on(said.readline())
            time.sleep(random.uniform(0, MOMENT))
        os.kill(pid, signal.SIGKILL)
        for line in said:
            _pass_on(line)
    _, status = os.waitpid(pid, 0)
    if os.WTERMSIG(status) != signal.SIGKILL:
        os.write(1, b"a writer ended with %d\n" % status)


def _pass_on(line: bytes) -> None:
    # A line that was cut off by the kill told nobody anything.
    if line.endswith(b"\n"):
        os.write(1, line)


if __name__ == "__main__":
    main()
