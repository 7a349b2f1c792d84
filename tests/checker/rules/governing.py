"""Records that govern a partition: sections 4 and 7."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from checker.catalogue import Undecodable
from checker.contracts import read_contract
from checker.framing import frame
from checker.record import Head, Kind, Raw
from checker.settings import Settings
from checker.verdict import Verdict

if TYPE_CHECKING:
    from checker.fold import Fold

_MOST_TOGETHER: Final = 1000
_MOST_CONTRACT: Final = 65_536


def genesis(fold: "Fold", raw: Raw, head: Head) -> Verdict:
    if fold.genesis is not None:
        return Verdict.SUPERSEDED
    try:
        content = fold.catalogue.decode_system(raw.value, "farandole.Genesis")
    except Undecodable:
        return Verdict.UNREADABLE
    fold.know(content["fold_version"])
    settings = content["settings"]
    if (
        not 0 < len(content["log_id"].encode()) <= 64
        or content["fold_version"] < 1
        or min(settings.values(), default=0) < 0
    ):
        return Verdict.UNREADABLE
    fold.genesis, fold.log_id = fold.log_time, content["log_id"]
    fold.settings = Settings()
    fold.settings.values.update({k: v for k, v in settings.items() if k in fold.settings.values})
    fold.lapse()
    return Verdict.ADMITTED


def setting(fold: "Fold", raw: Raw, head: Head) -> Verdict:
    try:
        content = fold.catalogue.decode_system(raw.value, "farandole.Setting")
    except Undecodable:
        return Verdict.UNREADABLE
    if content["value"] < 0:
        return Verdict.UNREADABLE
    if fold.settings.values.get(content["name"]) != content["replaces"]:
        return Verdict.SUPERSEDED
    fold.settings.values[content["name"]] = content["value"]
    fold.lapse()
    return Verdict.ADMITTED


def version(fold: "Fold", raw: Raw, head: Head) -> Verdict:
    try:
        content = fold.catalogue.decode_system(raw.value, "farandole.Version")
    except Undecodable:
        return Verdict.UNREADABLE
    if content["version"] <= fold.version:
        return Verdict.SUPERSEDED
    fold.know(content["version"])
    return Verdict.ADMITTED


def contract(fold: "Fold", raw: Raw, head: Head) -> Verdict:
    try:
        read_contract(raw, fold.catalogue)
    except Undecodable:
        return Verdict.UNREADABLE
    if head.count > _MOST_TOGETHER or len(raw.value or b"") > _MOST_CONTRACT:
        return Verdict.UNREADABLE
    whole = frame(fold.unfinished, raw, head)
    if whole is None:
        return Verdict.HELD
    new = [read_contract(whole[index][0], fold.catalogue) for index in sorted(whole)]
    places = [place for contract in new for place in (contract.reactor, contract.renames) if place]
    if len(set(places)) < len(places):
        return Verdict.UNREADABLE
    if not fold.contracts.admits(new):
        return Verdict.SUPERSEDED
    fold.effects.enforce(new, raw.offset)
    return Verdict.ADMITTED


def released(fold: "Fold", raw: Raw, head: Head) -> Verdict:
    return Verdict.ADMITTED


OTHERS: Final[dict[Kind, Callable[["Fold", Raw, Head], Verdict]]] = {
    Kind.GENESIS: genesis,
    Kind.SETTING: setting,
    Kind.VERSION: version,
    Kind.CONTRACT: contract,
    Kind.RELEASED: released,
}
