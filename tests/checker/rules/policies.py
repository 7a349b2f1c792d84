"""Policies: section 20."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from checker.catalogue import Undecodable
from checker.record import Head, Kind, Raw
from checker.verdict import Verdict

if TYPE_CHECKING:
    from checker.fold import Fold


def policy(fold: "Fold", raw: Raw, head: Head) -> Verdict:
    try:
        content = fold.catalogue.decode_system(raw.value, "farandole.Policy")
    except Undecodable:
        return Verdict.UNREADABLE
    reactor = content["reactor"].encode()
    if reactor and reactor not in fold.contracts.by_reactor:
        return Verdict.NO_CONTRACT
    if content["number"] != fold.policies.get(reactor, (0, False))[0] + 1:
        return Verdict.SUPERSEDED
    fold.policies[reactor] = (content["number"], content["stopped"])
    return Verdict.ADMITTED


OTHERS: Final[dict[Kind, Callable[["Fold", Raw, Head], Verdict]]] = {
    Kind.POLICY: policy,
}
