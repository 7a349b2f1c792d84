"""A small OpenID Connect provider, with real keys and real HTTP, which can be made to lie."""

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Form, Header
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.responses import Response

CLIENT, SECRET = "farandole", "a client's secret"


@dataclass
class Provider:
    """Who is logged in there, and what it is to lie about."""

    issuer: str = ""
    claims: dict[str, Any] = field(
        default_factory=lambda: {"sub": "1", "preferred_username": "ann", "roles": ["farandole:operate"]}
    )
    lies: dict[str, Any] = field(default_factory=dict)
    """Claims of the id token that it makes up."""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k"}))
    signs_with: RSAKey | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)


def app_of(provider: Provider) -> FastAPI:
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    async def configuration() -> dict[str, Any]:
        at = provider.issuer
        return {
            "issuer": at,
            "authorization_endpoint": f"{at}/authorize",
            "token_endpoint": f"{at}/token",
            "jwks_uri": f"{at}/keys",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    @app.get("/keys")
    async def keys() -> dict[str, Any]:
        return {"keys": [provider.key.as_dict(private=False)]}

    @app.get("/authorize")
    async def authorize(
        client_id: str,
        redirect_uri: str,
        state: str,
        nonce: str,
        code_challenge: str,
        code_challenge_method: str,
        scope: str,
    ) -> Response:
        assert (client_id, code_challenge_method) == (CLIENT, "S256")
        assert "openid" in scope.split()
        code = secrets.token_hex(8)
        provider.codes[code] = {"nonce": nonce, "challenge": code_challenge, "to": redirect_uri}
        return RedirectResponse(f"{redirect_uri}?code={code}&state={state}")

    @app.post("/token")
    async def token(
        code: Annotated[str, Form()],
        code_verifier: Annotated[str, Form()],
        redirect_uri: Annotated[str, Form()],
        authorization: Annotated[str, Header()],
    ) -> Response:
        known = provider.codes.pop(code, None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
        basic = base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":")
        if known is None or known["challenge"] != challenge or known["to"] != redirect_uri or basic[0] != CLIENT:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        said = {
            "iss": provider.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": known["nonce"],
            **provider.claims, **provider.lies,
        }  # fmt: skip
        id_token = jwt.encode({"alg": "RS256", "kid": "k"}, said, provider.signs_with or provider.key)
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": id_token})

    return app


@asynccontextmanager
async def a_provider() -> AsyncIterator[Provider]:
    """One on this machine."""
    provider = Provider()
    server = uvicorn.Server(uvicorn.Config(app_of(provider), port=0, log_config=None, lifespan="off"))
    task = asyncio.create_task(server._serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        provider.issuer = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield provider
    finally:
        server.should_exit = True
        await task
