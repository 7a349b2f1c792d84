"""A step of an hour. It has no heartbeat to send: while its worker lives, it is in its hands, and nobody else begins it.

`step.progress` tells people how far it is. What shall not be done anew if the worker dies is said with `step.once`.
"""

import asyncio

from farandole.reactors import Choreography, Step
from farandole.schemas import End, Start

greetings = Choreography("greetings")


class LetterWanted(Start):
    lines: int


class LetterWritten(End):
    lines: int


async def write_line(number: int) -> str:
    await asyncio.sleep(360)
    return f"line {number}"


@greetings.reactor
async def write(wanted: LetterWanted, step: Step) -> LetterWritten:
    for number in range(wanted.lines):
        line = await step.once(f"line {number}", write_line, number)
        step.progress((number + 1) / wanted.lines, line)
    return LetterWritten(lines=wanted.lines)
