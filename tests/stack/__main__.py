"""python -m stack [--check]"""

import argparse
import asyncio
import signal
import sys

from farandole.cli.demo.customers import CUSTOMERS

from .asking import Wrong, questions_have_answers, rules_are_sound, targets_are_up
from .customers import customers
from .looking import pages_and_questions_are_answered
from .processes import ProcessEnded
from .stack import Missing, Stack, started

_LOOK = 1.0
_MEND_SOON, _MEND_LATE = 1.0, 30.0
_LONGEST = 300.0


async def look(stack: Stack) -> None:
    """Have customers order until Ctrl-C or SIGTERM."""
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    async with customers(stack.store, mend_after=_MEND_LATE) as shop:
        serving = asyncio.create_task(shop.serve())
        try:
            while not stop.is_set():
                stack.check()
                if serving.done():
                    serving.result()
                try:
                    async with asyncio.timeout(_LOOK):
                        await stop.wait()
                except TimeoutError:
                    continue
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


async def check(stack: Stack) -> None:
    """Drive some runs, and ask Prometheus and the server everything.

    Raises:
        Wrong: something is not as it should be.
    """
    if stack.prometheus is None:
        raise Wrong("Prometheus is not installed (Debian: prometheus), so there is nobody to ask")
    async with asyncio.timeout(_LONGEST):
        await targets_are_up(stack)
        print(f"{len(stack.targets)} targets are up: {', '.join(stack.targets)}", flush=True)
        async with customers(stack.store, mend_after=_MEND_SOON) as shop:
            await shop.serve_six()
            again = CUSTOMERS[0].order
            for run in shop.runs()[:1]:
                await shop.client.start(again, run_id=run.id)  # refused, for it was
            print("six runs have come to their ends", flush=True)
            serving = asyncio.create_task(shop.serve())  # so that there are rates
            try:
                print(f"{await questions_have_answers(stack)} questions have answers", flush=True)
                print(
                    f"{await rules_are_sound(stack)} alert rules are evaluated, and none that is critical fires",
                    flush=True,
                )
                if stack.server is not None:
                    count = await pages_and_questions_are_answered(stack)
                    print(f"{count} pages and questions are answered by the server", flush=True)
            finally:
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)


def tell(stack: Stack) -> None:
    """Say where everything is."""
    print(f"log         {stack.store}\ntables      {stack.db}")
    if stack.server is not None:
        print(f"dashboard   {stack.server}, token {stack.token}")
    if stack.prometheus is not None:
        print(f"Prometheus  {stack.prometheus}")
    print("\n".join([f"metrics     {name}: http://{at}/metrics" for name, at in stack.targets.items()]))
    print(f"logs        {stack.home}/*.log\n" + "\n".join(f"left out: {each}" for each in stack.left_out), flush=True)


def main() -> int:
    """0: it ended as it was asked to. 1: something is wrong. 2: something is missing."""
    parser = argparse.ArgumentParser(prog="stack", description="Kafka, PostgreSQL, workers, server and Prometheus.")
    parser.add_argument("--check", action="store_true", help="ask whether all fits together, and end")
    args = parser.parse_args()
    # Ended from outside while it starts, it ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        print("Starting Kafka, PostgreSQL and the rest …", flush=True)
        with started(quick=args.check) as stack:
            tell(stack)
            if not args.check:
                print("Ctrl-C ends all of it", flush=True)
            asyncio.run(check(stack) if args.check else look(stack))
    except KeyboardInterrupt:
        return 130
    except Missing as e:
        print(e, file=sys.stderr)
        return 2
    except (Wrong, ProcessEnded, TimeoutError) as e:
        print(e or f"it was not done within {_LONGEST:g} s", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
