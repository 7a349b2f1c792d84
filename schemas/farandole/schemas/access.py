"""How a server elsewhere is reached safely: its TLS, secrets from the environment, and what counts as this machine."""

import ssl
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path

from pydantic import SecretStr


def tls_context(
    ca: str | None, cert: str | None = None, key: str | None = None, key_password: SecretStr | None = None
) -> ssl.SSLContext:
    """What connections to a server are secured by: TLS 1.2 or newer, its name and certificate checked.

    Args:
        ca: file with the certificates to trust instead of the system's.
        cert: file with the client's own certificate, for mutual TLS.
        key: file with the private key of `cert`.

    Raises:
        OSError, ssl.SSLError: a file cannot be read, or is not what it should be.
    """
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if cert:
        # An empty password instead of none: the library would ask for one at the terminal.
        context.load_cert_chain(cert, key, key_password.get_secret_value() if key_password else "")
    return context


def is_this_machine(host: str) -> bool:
    """Whether a host is surely this machine, going by its name alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def told_secret(env: Mapping[str, str], name: str) -> str:
    """A value of the environment, or of the file that ``<name>_FILE`` names; empty if there is neither. Of both, the value.

    Raises:
        ValueError: the file cannot be read, or is empty; the message names the variable and not what it holds.
    """
    if value := env.get(name):
        return value
    if not (file := env.get(f"{name}_FILE")):
        return ""
    try:
        said = Path(file).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as e:
        raise ValueError(f"{name}_FILE names a file that cannot be read ({type(e).__name__})") from None
    if not said:
        # As if nobody had said a secret, it would be taken for none, and what it guards would be open.
        raise ValueError(f"{name}_FILE names a file that is empty")
    return said


def as_secret(text: str) -> SecretStr | None:
    """None for what is empty."""
    return SecretStr(text) if text else None
