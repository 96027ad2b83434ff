"""Certificates for tests: an authority made on the spot, and what it signs."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, each in a file."""

    certificate: Path
    key: Path
    x509: x509.Certificate

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER, hex."""
        return self.x509.fingerprint(hashes.SHA256()).hex()

    @property
    def der(self) -> bytes:
        """The certificate as it goes over the wire."""
        return self.x509.public_bytes(serialization.Encoding.DER)


class Authority:
    """A certificate authority in a directory."""

    def __init__(self, directory: Path, name: str = "Test Authority") -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._x509 = (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = directory / f"{name.replace(' ', '-').lower()}.pem"
        self.file.write_bytes(self._x509.public_bytes(serialization.Encoding.PEM))

    def server(self, *names: str, days: int = 30) -> Certificate:
        """Issue a server's certificate for host names and addresses."""
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        return self._issue("server", usage, x509.SubjectAlternativeName([_name(name) for name in names]), days)

    def client(self, name: str) -> Certificate:
        """Issue a client's certificate."""
        alternative = x509.SubjectAlternativeName([x509.DNSName(f"{name}.example")])
        return self._issue(name, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), alternative, 30)

    def _issue(
        self, name: str, usage: x509.ExtendedKeyUsage, alternative: x509.SubjectAlternativeName, days: int
    ) -> Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issued = (
            self._builder(subject, key.public_key(), days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=False)
            .add_extension(alternative, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        certificate, key_file = self._directory / f"{name}.pem", self._directory / f"{name}.key"
        certificate.write_bytes(issued.public_bytes(serialization.Encoding.PEM))
        pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        key_file.touch(mode=0o600)
        key_file.write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
        return Certificate(certificate, key_file, issued)

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, days: int = 30) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return x509.CertificateBuilder(
            issuer_name=self._name,
            subject_name=subject,
            public_key=key,
            serial_number=x509.random_serial_number(),
            not_valid_before=now - 400 * DAY if days < 0 else now - DAY,
            not_valid_after=now + days * DAY,
        )


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
