"""What handlers ask for: who it is, and whether they may."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from farandole.dashboard.callers import Caller, Role
from farandole.dashboard.errors import Problem


async def caller(request: Request) -> Caller:
    """Who asks.

    Raises:
        Problem: nobody knows.
    """
    found: Caller | None = getattr(request.state, "caller", None)
    if found is None:
        raise Problem(
            401, "Who are you?", "This needs a login.", "Send Authorization: Bearer <token>, or log in at /login."
        )
    return found


def require(role: Role) -> Callable[[Caller], Awaitable[Caller]]:
    """A dependency that gives who asks, if they may do what takes this role."""

    async def allowed(found: Annotated[Caller, Depends(caller)]) -> Caller:
        if not found.may(role):
            raise Problem(
                403,
                "Not allowed",
                f"{found.name} may {found.role.name.lower()}, and this takes the role {role.name.lower()}.",
                "Ask somebody who has it, or an administrator for it.",
            )
        return found

    return allowed


Seeing = Annotated[Caller, Depends(require(Role.SEE))]
Deciding = Annotated[Caller, Depends(require(Role.DECIDE))]
Operating = Annotated[Caller, Depends(require(Role.OPERATE))]
Administering = Annotated[Caller, Depends(require(Role.ADMINISTER))]
