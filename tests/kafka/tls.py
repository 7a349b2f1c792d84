"""Certificates and logins for listeners of the test broker, good ones and bad ones."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from farandole.testing.broker import Listener

PASSWORD = "open-sesame-4711"
KEY_PASSWORD = "key-of-keys-0815"
REAUTHENTICATE = 1.0
"""Seconds after which the listener REAUTH ends a connection that has not logged in again."""
_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"

_SIGNS = x509.KeyUsage(
    key_cert_sign=True, crl_sign=True, digital_signature=False, content_commitment=False, key_encipherment=False,
    data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
)  # fmt: skip


class Authority:
    """A certificate authority of the tests' own, in a folder: ``ca.pem`` is its certificate.

    Args:
        folder: where everything is written.
        name: the name of its file, without the ending.
    """

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"farandole test {name}")])
        own = self._certificate(self._name, self._key.public_key(), days=1, host=None, ca=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, *, host: str | None = "127.0.0.1", days: int = 1, password: str = "") -> Path:
        """A key with its certificate in one file.

        Args:
            name: of the file and of the owner.
            host: the address that it is good for; None for a client.
            days: until it ends; negative if it has ended.
            password: protects the key.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        owner = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._certificate(owner, key.public_key(), days=days, host=host, ca=False)
        protection = (
            serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        )
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
        file = self._folder / f"{name}.pem"
        file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM) + self.file.read_bytes())
        return file

    def _certificate(
        self, owner: x509.Name, key: ec.EllipticCurvePublicKey, *, days: int, host: str | None, ca: bool
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(owner)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=9))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
            # From 3.13 on, Python asks for what RFC 5280 does.
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if ca:
            builder = builder.add_extension(_SIGNS, critical=True)
        if host is not None:
            names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def secure_listeners(folder: Path) -> list[Listener]:
    """Listeners whose certificates ``folder/ca.pem`` vouches for, all but STALE's and ASTRAY's good.

    SECURE wants a login over TLS, REAUTH one by SCRAM-SHA-512 again and again, MUTUAL a client's certificate; STALE's
    certificate has ended, and ASTRAY's is for another address.
    """
    ca = Authority(folder)
    Authority(folder, "other-ca").issue("stranger", host=None)
    ca.issue("alice", host=None, password=KEY_PASSWORD)
    good = _identity(ca.issue("broker"))
    scram = {
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "scram-sha-512.sasl.jaas.config": _SCRAM,
    }
    all_kinds = {
        "sasl.enabled.mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN",
        "scram-sha-256.sasl.jaas.config": _SCRAM,
        "plain.sasl.jaas.config": f'{_PLAIN} required user_alice="{PASSWORD}";',
    }
    again = {"scram-sha-512.connections.max.reauth.ms": str(int(REAUTHENTICATE * 1000))}
    trust = {"ssl.client.auth": "required", "ssl.truststore.type": "PEM", "ssl.truststore.location": str(ca.file)}
    return [
        Listener("SECURE", "SASL_SSL", config=scram | all_kinds | good),
        Listener("REAUTH", "SASL_SSL", config=scram | good | again),
        Listener("MUTUAL", "SSL", config=good | trust),
        Listener("STALE", "SSL", config=_identity(ca.issue("stale", days=-1))),
        Listener("ASTRAY", "SSL", config=_identity(ca.issue("astray", host="192.0.2.1"))),
    ]


def _identity(file: Path) -> Mapping[str, str]:
    return {"ssl.keystore.type": "PEM", "ssl.keystore.location": str(file)}
