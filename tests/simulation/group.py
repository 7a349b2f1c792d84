"""Consumer groups that are slow to notice who died, and at times give a partition to two members, or to none."""

from typing import TYPE_CHECKING

from farandole.eventstore import StoreClosed, StoreError
from farandole.eventstore.member import Member
from farandole.eventstore.shares import shares

if TYPE_CHECKING:
    from .machine import Machine
    from .world import World


class SimulatedGroup:
    """The members of one service.

    Attributes:
        members: those whom the group believes alive, by name.
        owners: whose each partition should be.
    """

    def __init__(self, world: "World", service: str) -> None:
        self.world = world
        self.service = service
        self.members: dict[str, SimulatedMember] = {}
        self.owners: dict[int, str] = {}

    def join(self, member: "SimulatedMember") -> None:
        former = self.members.pop(member.name, None)
        self.members[member.name] = member
        if former is not None and former is not member:
            former.put_out()
        self.deal()

    def leave(self, member: "SimulatedMember") -> None:
        if self.members.get(member.name) is member:
            del self.members[member.name]
            self.deal()

    def deal(self) -> None:
        """Decide who owns what, and tell everybody, some sooner than others."""
        self.owners = shares(len(self.world.log.partitions), self.members, self.owners)
        self.tell()

    def tell(self) -> None:
        world = self.world
        for member in self.members.values():
            world.later(0 if world.calm else world.chance.random() ** 2 * 4, self._tell, member)

    def _tell(self, member: "SimulatedMember") -> None:
        if self.members.get(member.name) is member:
            member.share(frozenset(p for p, owner in self.owners.items() if owner == member.name))
            member.machine.nudge()

    def flap(self) -> None:
        """Give a partition to another member, and perhaps soon back."""
        chance = self.world.chance
        if len(self.members) < 2:
            return
        partition = chance.randrange(len(self.world.log.partitions))
        former, self.owners[partition] = self.owners.get(partition, ""), chance.choice(list(self.members))
        self.tell()
        if chance.random() < 0.6:
            self.world.later(chance.random() * 6, self._back, partition, former)

    def _back(self, partition: int, owner: str) -> None:
        if owner in self.members:
            self.owners[partition] = owner
            self.tell()

    def overlap(self) -> None:
        """Let a member believe that it owns one more partition, which is another's."""
        chance = self.world.chance
        if self.members:
            member = self.members[chance.choice(list(self.members))]
            member.share(member.owned | {chance.randrange(len(self.world.log.partitions))})
            member.machine.nudge()

    def neglect(self) -> None:
        """Let a member believe that it owns nothing for a while."""
        chance = self.world.chance
        if self.members:
            member = self.members[chance.choice(list(self.members))]
            member.share(frozenset())
            member.machine.nudge()
            self.world.later(chance.random() ** 2 * 5, self._tell, member)


class SimulatedMember(Member):
    """A member as its process sees it."""

    def __init__(self, group: SimulatedGroup, machine: "Machine", name: str) -> None:
        super().__init__()
        self.group = group
        self.machine = machine
        self.name = name

    def put_out(self) -> None:
        self.machine.replaced = True
        self.fail(StoreError(f"another member joined as {self.name!r}"))

    async def __aenter__(self) -> "SimulatedMember":
        self.begin()
        self.machine.member = self
        self.group.join(self)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.group.leave(self)
        self.fail(StoreClosed("this member has left the group"))
