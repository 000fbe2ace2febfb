"""Certificates for tests: a root, an intermediate and leaves, each with one thing to vary."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.support.credentials import NOW
from wallet.crypto.keys import Es256SigningKey

DAY = 86400


def name(text: str) -> x509.Name:
    """Return a name of one common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_usage(**allowed: bool) -> x509.KeyUsage:
    usages = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
        "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{usage: allowed.get(usage, False) for usage in usages})


SIGNS_CERTIFICATES = _key_usage(key_cert_sign=True, crl_sign=True)
SIGNS_DATA = _key_usage(digital_signature=True)
ENCRYPTS = _key_usage(key_encipherment=True)
AGREES = _key_usage(key_agreement=True)


@dataclass
class Authority:
    """A certificate authority; `certificate` is its own."""

    common_name: str
    parent: Authority | None = None
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    changes: dict[str, Any] = field(default_factory=dict)
    certificate: x509.Certificate = field(init=False)

    def __post_init__(self) -> None:
        signer = self.parent or self
        self.certificate = signer.sign(
            self.common_name, self.key.public_key(), authority=True, **self.changes
        )

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(Encoding.DER)

    def sign(
        self,
        common_name: str,
        key: Any,
        *,
        authority: bool = False,
        names: tuple[x509.GeneralName, ...] = (),
        not_before: int = NOW - DAY,
        not_after: int = NOW + DAY,
        basic: x509.BasicConstraints | str | None = "default",
        basic_critical: bool = True,
        usage: x509.KeyUsage | str | None = "default",
        constraints: x509.NameConstraints | None = None,
        issuer_name: str | None = None,
    ) -> x509.Certificate:
        """Return a certificate for `key`, honest unless a keyword says otherwise."""
        if basic == "default":
            basic = x509.BasicConstraints(ca=True, path_length=None) if authority else None
        if usage == "default":
            usage = SIGNS_CERTIFICATES if authority else SIGNS_DATA
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(common_name))
            .issuer_name(name(issuer_name or self.common_name))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.fromtimestamp(not_before, UTC))
            .not_valid_after(datetime.fromtimestamp(not_after, UTC))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if isinstance(basic, x509.BasicConstraints):
            builder = builder.add_extension(basic, critical=basic_critical)
        if isinstance(usage, x509.KeyUsage):
            builder = builder.add_extension(usage, critical=True)
        if constraints is not None:
            builder = builder.add_extension(constraints, critical=True)
        return builder.sign(self.key, hashes.SHA256())

    def leaf(self, key: Es256SigningKey, *names: x509.GeneralName, **changes: Any) -> bytes:
        """Return the DER of a certificate for a signing key of ours."""
        public = ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP256R1(), key.public_key.compressed
        )
        made = self.sign("Synthetic Issuer", public, names=names, **changes)
        return made.public_bytes(Encoding.DER)


def x5c(*chain: bytes) -> list[str]:
    """Return an `x5c` header value."""
    return [base64.b64encode(der).decode("ascii") for der in chain]
