"""The approval on a real broker, with workers that are killed: whoever answers first decides, and it is done once."""

import asyncio
import os
import random
import secrets
import time
from itertools import count
from pathlib import Path

import pytest

from farandole.reactors import CommandRefused, DecisionView, RunHandle
from flow.crew import Crew, assert_no_promise_is_broken, watch
from flow.example_worker import example

AT_ONCE = 12


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(440)
async def test_what_is_approved_is_published_once_and_nothing_else_is(kafka: str, tmp_path: Path) -> None:
    seed = int(os.environ.get("FARANDOLE_SEED", time.time_ns() % 2**32))
    print(f"seed {seed}")
    url, name = f"kafka://{kafka}", f"documents_{secrets.token_hex(4)}"
    p, documents = example("approval", name)
    ends: dict[str, object] = {}

    async def asked(run: RunHandle, whom: str) -> DecisionView | None:
        """The question to somebody, as soon as it is asked; None if that is over."""
        while not (await run.status()).end:
            for decision in await run.decisions():
                if whom in decision.to:
                    return decision
            await asyncio.sleep(0.05)
        return None

    async def decided(run: RunHandle, number: int) -> object:
        """Play those who are asked, and tell how the run has to end. Whoever is too late is told so."""
        who, answer, end = (
            ("ann", p.Approved(), p.DocumentPublished(by="ann")),
            ("ann", p.Rejected(reason="dull"), p.DocumentRefused(reason="dull")),
            ("role:director", p.Approved(), p.DocumentPublished(by="dora")),
            ("nobody", None, None),
        )[number % 4]
        question = await asked(run, who)
        try:
            if question is not None:
                await run.decide(question, answer, by="dora" if who == "role:director" else who)
                return end
        except CommandRefused:
            assert number % 4 == 2, "those who are asked first have time"
        return p.DocumentRefused(reason="nobody answered")

    with Crew("approval", name, url, tmp_path, random.Random(seed), seconds=0.05, most=3) as crew:

        async def play() -> None:
            numbers = count()
            async with documents.connect(url) as client:

                async def one_after_the_other() -> None:
                    while crew.to_die:
                        number = next(numbers)
                        document = p.Document(title=f"document {number}", text="...")
                        # Those who answer have time to, however long the workers are away; the others do not.
                        patience = "10m" if number % 4 in (0, 1) else "1s" if number % 4 == 3 else "5s"
                        start = p.DocumentSubmitted(document=document, manager="ann", patience=patience)
                        run = await client.start(start, run_id=f"document-{number}")
                        expected = await decided(run, number)
                        assert await run.result(timeout="400s") == expected
                        ends[run.id] = expected

                await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))

        found = await watch(kafka, crew, len(documents.reactors), play, 400)
    print(f"{len(ends)} documents, {found.records} records")
    assert_no_promise_is_broken(found)
    assert sorted(run.key.decode() for run in found.runs) == sorted(ends)
    keys = {(title, key) for _, _, _, (title, key), _ in crew.deeds}
    published = [
        f"document {id.rpartition('-')[2]}" for id, end in ends.items() if isinstance(end, p.DocumentPublished)
    ]
    assert sorted(title for title, _ in keys) == sorted(published)
