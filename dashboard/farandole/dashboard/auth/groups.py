"""Groups, as a provider or a proxy names them, and what they stand for here."""

from collections.abc import Iterable, Mapping

from farandole.dashboard.callers import ROLES, Role

OURS = "farandole:"
"""Groups that begin so name a role by themselves: ``farandole:operate``."""


def read_groups(
    groups: Iterable[str], roles: Mapping[str, Role], everybody: Role | None
) -> tuple[Role | None, frozenset[str]]:
    """The role and the further roles of whoever is in these groups.

    Args:
        roles: by group.
        everybody: of those who are in none of these.
    """
    found, further = everybody, set[str]()
    for group in groups:
        role = roles.get(group) or (ROLES.get(group.removeprefix(OURS)) if group.startswith(OURS) else None)
        if role is not None:
            found = role if found is None else max(found, role)
        elif group.startswith(OURS):
            further.add(group.removeprefix(OURS))
        else:
            further.add(group)
    return found, frozenset(further)


def ours(groups: Iterable[str]) -> frozenset[str]:
    """The further roles that are meant for this dashboard by their name: ``farandole:editor``."""
    return frozenset(group.removeprefix(OURS) for group in groups if group.startswith(OURS))
