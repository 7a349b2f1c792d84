"""`start` and `send`: events into the log."""

from rich.text import Text

from farandole.projections.fold import Result
from farandole.reactors.client import Client
from farandole.reactors.errors import RunCancelled, RunExpired, RunFailed
from farandole.reactors.handle import RunHandle
from farandole.schemas import Signal, Start, UndecodableValue, parse_duration

from .errors import FAILED, CliError, Failed
from .logs import new_log_told
from .output import Output
from .payload import event
from .running import Target, answering, attached, existing
from .told import LogTeller
from .words import fields, short


async def start(
    target: Target, name: str, text: str, out: Output, *, run_id: str | None, wait: bool, timeout: str | None
) -> int:
    """Start a run; wait for its result if that was asked for."""
    opening = event(target.choreography, name, text, Start)
    if not isinstance(opening, Start):
        raise CliError(f"{name} is no Start")
    _duration(timeout)
    with new_log_told():
        async with answering(target.store):
            client = await target.choreography.connect(target.store)
    async with client:
        try:
            handle = await client.start(opening, run_id=run_id)
        except ValueError as e:
            raise CliError(str(e)) from e
        created = await handle.created
        said: dict[str, object] = {"run": handle.id, "created": created}
        if not wait:
            out.document(said) if out.as_json else out.print(_started(handle.id, created))
            return 0
        out.print(_started(handle.id, created))
        return await _result(client, handle, out, timeout, said)


def _started(run_id: str, created: bool) -> Text:
    return Text.assemble(run_id, ("  created" if created else "  not created: it was started before", "dim"))


async def _result(client: Client, handle: RunHandle, out: Output, timeout: str | None, said: dict[str, object]) -> int:
    problem = ""
    try:
        await handle.result(timeout=timeout)
    except (RunFailed, RunCancelled, RunExpired) as e:
        problem = str(e)
    except UndecodableValue:
        pass  # an End of another service, which is read without its class below
    except TimeoutError as e:
        raise Failed(str(e)) from e
    view = await client.follower.view(handle.id.encode())
    status = client.follower.status(view)
    content = None
    if view.run is not None and view.run.result is Result.ENDED:
        (told,) = await LogTeller(client).tell_at(view.partition, [view.run.result_offset], {})
        content = told.content
    if out.as_json:
        out.document(
            said | {"status": status.status, "end": status.end or None, "result": content, "error": problem or None}
        )
    elif problem:
        raise Failed(problem)
    else:
        out.print(Text.assemble((short(status.end), "bold green"), "  ", (fields(content or {}), "")))
    return FAILED if problem else 0


async def send(target: Target, run_id: str, name: str, text: str, out: Output, *, within: str) -> int:
    """Send a signal into a run."""
    signal = event(target.choreography, name, text, Signal)
    if not isinstance(signal, Signal):
        raise CliError(f"{name} is no Signal")
    _duration(within)
    async with attached(target) as client:
        handle, _ = await existing(client, run_id)
        await handle.send(signal, within=within)
    if out.as_json:
        out.document({"run": run_id, "sent": name})
    else:
        out.print(Text.assemble(run_id, (f"  took {name}", "dim")))
    return 0


def _duration(text: str | None) -> None:
    if text is not None:
        try:
            parse_duration(text)
        except (ValueError, TypeError) as e:
            raise CliError(str(e)) from e
