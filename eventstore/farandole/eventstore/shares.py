"""Who should own which partition: a pure function, so that members agree without a leader."""

from collections.abc import Iterable, Mapping


def shares(partitions: int, members: Iterable[str], owners: Mapping[int, str]) -> dict[int, str]:
    """Deal out all partitions as evenly as can be, and leave as many as can be where they are.

    Args:
        partitions: how many there are.
        members: the names of those who take part.
        owners: the present owner of each partition that has one; owners who are no members are passed over.

    Returns:
        The owner of each partition; empty without members.
    """
    held: dict[str, list[int]] = {name: [] for name in members}
    if not held:
        return {}
    free: list[int] = []
    for partition in range(partitions):
        held.get(owners.get(partition, ""), free).append(partition)
    # Who has most keeps the odd one; names break the tie, so that all members deal alike.
    names = sorted(held, key=lambda name: (-len(held[name]), name))
    least, odd = divmod(partitions, len(names))
    quotas = {name: least + (i < odd) for i, name in enumerate(names)}
    for name, quota in quotas.items():
        free += held[name][quota:]
        del held[name][quota:]
    free.sort(reverse=True)
    for name, quota in quotas.items():
        while len(held[name]) < quota:
            held[name].append(free.pop())
    return {partition: name for name, mine in held.items() for partition in mine}
