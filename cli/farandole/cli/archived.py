"""`show --archive`: a run that left the log."""

from pathlib import Path

from rich.text import Text

from farandole.projections.fold import awaited
from farandole.reactors import Choreography
from farandole.reactors.archived import ArchivedRun, ArchiveIncomplete, archived_run, archived_schemas
from farandole.reactors.plain_reader import PlainReader
from farandole.reactors.service import types_of

from .apppath import load_app
from .errors import NotFound
from .fates import fates
from .output import Output
from .showing import print_head, print_raw, print_timeline, status_json
from .steps import worth_showing
from .timeline import Moment, moments, verdicts_of
from .times import date
from .told import Teller
from .words import CLOSED


async def show(app: str | None, name: str | None, run_id: str, directory: Path, out: Output, *, raw: bool) -> int:
    """Print the timeline of a run that is in an archive.

    Args:
        app: needed only for its payload codec.
        name: of the choreography, where the app is not given.
    """
    choreography = load_app(app) if app is not None else Choreography(name or "")
    try:
        found = archived_run(directory, choreography.name, run_id)
    except ArchiveIncomplete as e:
        raise NotFound(str(e)) from e
    status, told = found.status, await _moments(choreography, directory, found)
    if status.status == "absent" or found.view.run is None:
        raise NotFound(f"the archive of choreography '{choreography.name}' in {directory} has no run '{run_id}'")
    if out.as_json:
        said = status_json(choreography.name, awaited(found.fold, found.view.run), status)
        out.document(said | {"archived": True, "records": [m.json() for m in told]})
        return 0
    print_head(out, status, told, found.fold.log_time)
    if raw:
        print_raw(out, told)
    else:
        print_timeline(out, worth_showing(told), fates(told, status, found.fold))
    if status.status not in CLOSED:
        out.print(Text(f"The archive ends at {date(found.fold.log_time)}; what came later is in the log.", style="dim"))
    return 0


async def _moments(choreography: Choreography, directory: Path, found: ArchivedRun) -> list[Moment]:
    schemas = archived_schemas(directory, choreography.name)

    async def load() -> dict[bytes, bytes]:
        return dict(schemas)

    teller = Teller(PlainReader(load, types_of(choreography)))
    entries = [(entry, entry.record) for entry in found.view.entries if entry.record is not None]
    verdicts = verdicts_of([entry for entry, _ in entries])
    return moments([await teller.tell(record, verdicts[entry.offset]) for entry, record in entries])
