"""`settings`: what a log goes by, and changing it."""

from rich.text import Text

from farandole.reactors.errors import SettingRefused
from farandole.reactors.settings import NAMES, TIMES, InForce, in_force, put_in_force, raise_version
from farandole.schemas import DeclarationError, parse_duration

from .errors import CliError, Refused, did_you_mean
from .output import Output
from .running import Target, attached
from .tables import plain_table
from .times import exact


async def settings(target: Target, out: Output) -> int:
    """Print the settings and the fold version in force."""
    async with attached(target) as client:
        found = await in_force(client)
    if out.as_json:
        out.document(
            {
                "choreography": target.choreography.name,
                "fold_version": _one(found.versions),
                "settings": {name: _one(values) for name, values in found.settings.items()},
            }
        )
        return 0
    table = plain_table()
    for name in ("SETTING", "VALUE", ""):
        table.add_column(name, no_wrap=True)
    for name, values in found.settings.items():
        table.add_row(name, " or ".join(_shown(name, value) for value in values), _compared(found, name))
    table.add_row("fold version", " or ".join(map(str, found.versions)), "")
    out.print(table)
    return 0


async def put(target: Target, out: Output, name: str, value: str, *, why: str, by: str) -> int:
    """Change a setting in every partition."""
    if name not in NAMES:
        raise CliError(f"there is no setting '{name}'{did_you_mean(name, NAMES)}")
    number = _number(name, value)
    async with attached(target) as client:
        try:
            changed = await put_in_force(client, name, number, why=why, by=by)
        except SettingRefused as e:
            raise Refused(str(e)) from e
    if out.as_json:
        out.document({"setting": name, "value": number, "partitions": changed})
    else:
        out.print(f"{name} is {_shown(name, number)}" + (f" in {changed} partitions now" if changed else " already"))
    return 0


async def put_version(target: Target, out: Output, version: int, *, why: str, by: str) -> int:
    """Raise the fold version in every partition."""
    async with attached(target) as client:
        try:
            raised = await raise_version(client, version, why=why, by=by)
        except ValueError as e:
            raise CliError(str(e)) from e
        except SettingRefused as e:
            raise Refused(str(e)) from e
    if out.as_json:
        out.document({"fold_version": version, "partitions": raised})
    else:
        out.print(f"fold version {version} is in force" + (f", in {raised} partitions now" if raised else " already"))
    return 0


def _number(name: str, value: str) -> int:
    """What a setting is set to: a number, or a duration where it is a time."""
    try:
        if name in TIMES and not value.isdecimal():
            return int(parse_duration(value).total_seconds() * 1000)
        number = int(value)
    except (ValueError, DeclarationError) as e:
        what = "a duration, such as 24h, or milliseconds" if name in TIMES else "a whole number"
        raise CliError(f"{name}: {value!r} is not {what}") from e
    if not 0 <= number < 1 << 63:
        raise CliError(f"{name}: {value} is out of range")
    return number


def _shown(name: str, value: int) -> str:
    if name not in TIMES:
        return f"{value:,}"
    return exact(value / 1000) if value else "off" if name == "expire_after" else "0"


def _compared(found: InForce, name: str) -> Text:
    values, default = found.settings[name], found.defaults[name]
    if len(values) > 1:
        return Text("partitions differ; set it again", style="yellow")
    return Text("" if values == (default,) else f"instead of {_shown(name, default)}", style="dim")


def _one(values: tuple[int, ...]) -> int | tuple[int, ...]:
    return values[0] if len(values) == 1 else values
