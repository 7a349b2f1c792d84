"""An OpenID Connect provider: authorization code flow with PKCE, by Authlib."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from farandole.dashboard.callers import PERSONAL
from farandole.dashboard.errors import DashboardMisconfigured, Problem
from farandole.dashboard.settings import Oidc
from farandole.projections.runs.query.people import asked_of

from .groups import ours, read_groups
from .sessions import fits_a_cookie

log = logging.getLogger("farandole.dashboard")

_MOST_NAME: Final = 200
_NEXT: Final = "next"
_MOST_NEXT: Final = 1_500


class Provider:
    """Sends people to a provider, and reads what it says of them when they come back.

    Args:
        https: people reach this dashboard by TLS.

    Raises:
        DashboardMisconfigured: what it takes is not installed.
    """

    def __init__(self, settings: Oidc, *, https: bool) -> None:
        try:
            from authlib.integrations.starlette_client import OAuth
        except ImportError as e:
            raise DashboardMisconfigured(
                f"a login by OpenID Connect needs {e.name}: pip install 'farandole[oidc]'"
            ) from e
        self._settings = settings
        self._https = https
        self._client: Any = OAuth().register(
            name="oidc",
            client_id=settings.client_id,
            client_secret=settings.client_secret or None,
            server_metadata_url=f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": settings.scope,
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": "client_secret_basic" if settings.client_secret else "none",
            },
        )

    async def ask(self, request: Request, next: str) -> Response:
        """Send somebody there.

        Raises:
            Problem: it cannot be reached.
        """
        back = request.url_for("from_provider")
        try:
            answer: Response = await self._client.authorize_redirect(
                request, back.replace(scheme="https") if self._https else back
            )
        except Exception as e:
            raise self._away(e) from e
        # With all that the login itself puts there, a session must not outgrow a cookie.
        request.session[_NEXT] = next if len(next.encode()) <= _MOST_NEXT else "/"
        return answer

    async def told(self, request: Request) -> tuple[dict[str, Any], str]:
        """What a session is to know of whoever came back, and where they wanted to go.

        Raises:
            Problem: the provider did not let them in, what it says cannot be believed, they have no role here, or more
                groups than a session holds.
        """
        from httpx2 import HTTPError

        next_ = str(request.session.get(_NEXT, "/"))
        try:
            token = await self._client.authorize_access_token(request)
            claims: Mapping[str, Any] = token.get("userinfo") or {}
            audience = claims.get("aud")
            if self._settings.client_id not in (audience if isinstance(audience, list) else [audience]):
                # The library lets this pass where azp names us.
                raise ValueError("for somebody else")
        except HTTPError as e:
            raise self._away(e) from e
        except Exception as e:
            # Not what it says: a code or a token may stand in it.
            log.warning(
                "a login by OpenID Connect is not believed: %s", type(e).__name__, extra={"ip": request.state.ip}
            )
            raise Problem(
                401, "Not logged in", "The provider's answer cannot be believed.", "Begin again at /login."
            ) from None
        name = str(claims.get(self._settings.name_claim) or claims.get("email") or claims.get("sub") or "")
        groups = _at(claims, self._settings.roles_claim)
        role, further = read_groups(groups, self._settings.roles, self._settings.everybody)
        if not name or len(name.encode()) > _MOST_NAME or role is None:
            raise Problem(
                403,
                "Not allowed",
                "The provider knows you, and gives you no role here.",
                "Ask an administrator for one.",
            )
        known = {"by": "oidc", "name": name, "role": int(role), "further": sorted(further)}
        return await self._fitted(request, known, ours(groups)), next_

    async def _fitted(self, request: Request, known: dict[str, Any], kept: frozenset[str]) -> dict[str, Any]:
        """What browsers keep of it: of more groups than go into a cookie, those that say something here."""
        if not fits_a_cookie(known):
            runs, further = request.app.state.desk.runs, known["further"]
            asked = (await runs.ask(lambda connection: asked_of(connection, further))).found
            known = {**known, "further": sorted({*further} & (kept | asked | {PERSONAL}))}
        if fits_a_cookie(known):
            return known
        log.warning(
            "somebody is in more groups than a session holds: %d", len(known["further"]), extra={"ip": request.state.ip}
        )
        raise Problem(
            403,
            "Too many groups",
            f"You are in {len(known['further']):,} groups that count here, and a session holds no more than some hundred.",
            "Have the provider send fewer of them to this dashboard, by a filter on the claim of groups.",
        )

    def _away(self, error: Exception) -> Problem:
        log.warning("the OpenID Connect provider cannot be asked: %s", type(error).__name__)
        return Problem(
            503,
            "The provider is away",
            "The OpenID Connect provider cannot be asked now.",
            "Ask again later.",
            retry_after=10,
        )


def _at(claims: Mapping[str, Any], path: str) -> list[str]:
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return (
        [str(each) for each in found] if isinstance(found, list | tuple) else [found] if isinstance(found, str) else []
    )
