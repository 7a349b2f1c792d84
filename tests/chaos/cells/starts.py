"""One run, started by many at once."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from decimal import Decimal

from examples.orders.events import OrderPlaced

from chaos.cell import cell
from chaos.stage import Stage
from chaos.trial import Trial
from checker.record import Kind
from checker.verdict import Verdict
from farandole.reactors import Choreography


@cell(
    "duplicate-starts",
    "many clients start the same run at once, while its workers are killed",
    tested={"times": 1, "starts": 1000, "clients": 10, "kills": 1},
    whole={"times": 5, "starts": 1000, "clients": 20, "kills": 3},
)
async def duplicate_starts(trial: Trial, times: int, starts: int, clients: int, kills: int) -> None:
    async with Stage(trial, only_crashes=True) as stage:
        load = await stage.press(rate=20)
        orders = Choreography("orders")
        orders.know(OrderPlaced)
        ids = []
        async with AsyncExitStack() as stack:
            doors = [
                await stack.enter_async_context(orders.connect(stage.url, partitions=stage.partitions))
                for _ in range(clients)
            ]
            for n in range(times):
                id = f"order-{900_000_001 + n}"
                ids.append(id)
                trial.fault("duplicate starts", count=starts)
                order = OrderPlaced(customer="c", amount=Decimal(n + 1), address="here")
                ways = [doors[i % clients].start(order, run_id=id) for i in range(starts)]
                starting = asyncio.gather(*ways)
                for hand in trial.random.sample(stage.crew.hands, kills):
                    stage.crew.kill(hand)
                    trial.fault("kill -9", member=hand.member)
                    hand.start()
                await starting
        load.also_started += ids
        stage.healed()
    verdicts: Counter[Verdict] = Counter()
    for part in stage.found.partitions:
        for raw, head, verdict in part.records:
            if head is not None and head.kind == Kind.START and (raw.key or b"").decode() in ids:
                verdicts[verdict] += 1
    trial.notes["starts of one run"] = {verdict.name: count for verdict, count in verdicts.items()}
    if verdicts[Verdict.ADMITTED] != times or verdicts.total() < times * starts:
        trial.wrong(f"{times} runs were started {starts} times each: {dict(verdicts)}")
