"""A registry that speaks the API of Confluent's Schema Registry, as Confluent's own, Apicurio, Karapace and Redpanda do.

A thin client, for five requests are all that is needed: Confluent's own comes with a second Kafka client.
"""

import asyncio
import json
import logging
import ssl
from types import ModuleType
from typing import Any, Final
from urllib.parse import quote

from farandole.schemas.errors import RegistryMisconfigured, RegistryRefused, RegistryUnavailable
from farandole.schemas.schema_numbers import frame_of
from farandole.schemas.schema_text import SchemaText

from .settings import RegistrySettings

_JSON: Final = "application/vnd.schemaregistry.v1+json"
_MOST_BYTES: Final = 1024 * 1024
"""The largest answer that is read."""
_MOST_SAID: Final = 2000
"""Characters of a registry's own words in an error."""
_LATER: Final = frozenset((408, 425, 429))
_NO_SUCH: Final = frozenset((40401, 40402, 40403))
"""Error codes: there is no such subject, version or schema."""


class ConfluentRegistry:
    """Asks one registry. It connects when it is first asked.

    Raises:
        RegistryMisconfigured: from the constructor, if the extra is not installed or a TLS file cannot be read.
    """

    def __init__(self, settings: RegistrySettings) -> None:
        self._settings = settings
        self._http = _library()
        headers = {"Accept": f"{_JSON}, application/json", "Content-Type": _JSON}
        if settings.token is not None:
            headers["Authorization"] = f"Bearer {settings.token.get_secret_value()}"
        auth = None
        if settings.username is not None and settings.password is not None:
            auth = self._http.BasicAuth(settings.username.get_secret_value(), settings.password.get_secret_value())
        # Nothing of the environment but our own settings says where to go and as whom: no proxies, no .netrc.
        self._client = self._http.AsyncClient(
            auth=auth, headers=headers, verify=settings.tls() or False, timeout=settings.timeout, trust_env=False
        )

    @property
    def url(self) -> str:
        return self._settings.url

    async def register(self, schema: SchemaText) -> int:
        status, answer = await self._ask("POST", f"/subjects/{quote(schema.name, safe='')}/versions", schema.text)
        if status in (409, 422):
            raise self._refused(schema, answer)
        return self._number(status, answer)

    async def find(self, schema: SchemaText) -> int | None:
        status, answer = await self._ask("POST", f"/subjects/{quote(schema.name, safe='')}", schema.text)
        return None if self._no_such(status, answer) else self._number(status, answer)

    async def schema(self, number: int) -> str | None:
        status, answer = await self._ask("GET", f"/schemas/ids/{number}")
        if self._no_such(status, answer):
            return None
        text = answer.get("schema")
        if status != 200 or not isinstance(text, str):
            raise self._strange(status, answer)
        return text

    async def compatibility(self) -> str:
        status, answer = await self._ask("GET", "/config")
        level = answer.get("compatibilityLevel")
        if status != 200 or not isinstance(level, str):
            raise self._strange(status, answer)
        return level

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, method: str, path: str, schema: str | None = None) -> tuple[int, dict[str, Any]]:
        """One request, and its answer as far as it is one of a registry."""
        body = None if schema is None else json.dumps({"schema": schema}).encode()
        try:
            # Over the whole of it, for each of the client's own limits begins anew with every byte.
            async with asyncio.timeout(self._settings.timeout):
                status, content = await self._send(method, path, body)
        except TimeoutError:
            raise RegistryUnavailable(
                f"the schema registry {self.url} did not answer within {self._settings.timeout:g} s"
            ) from None
        except self._http.RequestError as e:
            if (why := _distrust(e)) is not None:
                raise RegistryMisconfigured(
                    f"the schema registry {self.url} is not trusted ({why}): name the authority's PEM file, as ?ca=ca.pem "
                    "after its URL, or have its certificate renewed"
                ) from e
            raise RegistryUnavailable(
                f"the schema registry {self.url} cannot be reached ({type(e).__name__}: {e})"
            ) from e
        if status >= 500 or status in _LATER:
            raise RegistryUnavailable(f"the schema registry {self.url} answers with status {status}")
        if status in (401, 403):
            raise RegistryMisconfigured(
                f"the schema registry {self.url} refuses us (status {status}): check FARANDOLE_REGISTRY_USERNAME and "
                "FARANDOLE_REGISTRY_PASSWORD, or FARANDOLE_REGISTRY_TOKEN, and that this user may read and register "
                "schemas"
            )
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise self._strange(status, {})
        return status, answer

    async def _send(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        content = bytearray()
        async with self._client.stream(method, self.url + path, content=body) as response:
            async for part in response.aiter_bytes():
                content += part
                if len(content) > _MOST_BYTES:
                    raise RegistryMisconfigured(
                        f"the schema registry {self.url} answers with more than {_MOST_BYTES} bytes: check its URL"
                    )
        return int(response.status_code), bytes(content)

    def _number(self, status: int, answer: dict[str, Any]) -> int:
        number = answer.get("id")
        try:
            if status != 200 or not isinstance(number, int):
                raise self._strange(status, answer)
            frame_of(number)
        except ValueError:
            raise self._strange(status, answer) from None
        return number

    @staticmethod
    def _no_such(status: int, answer: dict[str, Any]) -> bool:
        return status == 404 and answer.get("error_code") in _NO_SUCH

    def _strange(self, status: int, answer: dict[str, Any]) -> RegistryMisconfigured:
        said = f": {_said(answer)}" if answer.get("message") else ""
        return RegistryMisconfigured(
            f"what answers at {self.url} with status {status} is no schema registry, or another version of one{said}. "
            "Check the URL and its path: Apicurio has Confluent's API at /apis/ccompat/v7"
        )

    def _refused(self, schema: SchemaText, answer: dict[str, Any]) -> RegistryRefused:
        return RegistryRefused(
            f"the schema registry {self.url} refuses the schema of {schema.name} under the subject '{schema.name}': "
            f"{_said(answer)}. Change the event so that its earlier schemas and it can read each other, as the subject's "
            "compatibility asks for; or, where old and new may differ (as with version= raised), set another "
            f"compatibility: curl -X PUT -H 'Content-Type: {_JSON}' -d '{{\"compatibility\": \"NONE\"}}' "
            f"{self.url}/config/{schema.name}"
        )


def _distrust(error: BaseException | None) -> str | None:
    """Why a certificate is not trusted, if that is what an error comes from."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return None


def _said(answer: dict[str, Any]) -> str:
    return " ".join(str(answer.get("message") or "it does not say why").split())[:_MOST_SAID].rstrip(".")


def _library() -> ModuleType:
    try:
        import httpx2
    except ImportError:
        raise RegistryMisconfigured(
            "a schema registry is named, and what asks one is not installed: pip install 'farandole[registry]'"
        ) from None
    noisy = logging.getLogger("httpx2")
    if noisy.level == logging.NOTSET:
        # It tells each request; what matters is logged once, as ``farandole.registry``, and raised.
        noisy.setLevel(logging.WARNING)
    return httpx2
