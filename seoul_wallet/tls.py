"""A certificate for localhost, made anew at each start of a development stack over https.

A CA that may sign end entities only, and a certificate for `localhost` from it; the CA's key is
forgotten at once, so whoever trusts the CA file trusts this one certificate.
"""

from __future__ import annotations

import datetime
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_DAYS: Final = 7
HOST: Final = "localhost"


@dataclass(frozen=True, slots=True)
class LocalTls:
    """Files in PEM: the trust anchor, the server's certificate and its key.

    `signers` are the certificates of those who sign messages, by name.
    """

    trust_anchor: Path
    certificate: Path
    key: Path
    signers: Mapping[str, Path] = field(default_factory=dict)

    def server_context(self) -> ssl.SSLContext:
        """Return what the servers of the stack use."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        return context


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody who signs messages: the common name, the public point (SEC 1) and a DID."""

    name: str
    point: bytes
    did: str


def make_local_tls(
    folder: Path, *, now: int, signers: Mapping[str, Signer] | None = None
) -> LocalTls:
    """Write a new trust anchor and a certificate for localhost; valid for a week from `now`.

    Each of `signers` gets a certificate too, for localhost and its DID, in `NAME-signer.pem`.
    """
    authority, server = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    start = datetime.datetime.fromtimestamp(now - 300, datetime.UTC)
    end = start + datetime.timedelta(days=VALID_DAYS)
    issuer = _name("Seoul Wallet development CA")
    usage = {
        "content_commitment": False, "key_encipherment": False, "data_encipherment": False,
        "key_agreement": False, "encipher_only": False, "decipher_only": False,
    }  # fmt: skip

    def builder(subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()),
                critical=False,
            )
        )

    anchor = (
        builder(issuer, authority.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=False, key_cert_sign=True, crl_sign=True, **usage),
            critical=True,
        )
        .sign(authority, hashes.SHA256())
    )
    signs = x509.KeyUsage(digital_signature=True, key_cert_sign=False, crl_sign=False, **usage)
    names = [x509.DNSName(HOST), x509.IPAddress(IPv4Address("127.0.0.1"))]
    certificate = (
        builder(_name(HOST), server.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(signs, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(authority, hashes.SHA256())
    )
    files = LocalTls(folder / "ca.pem", folder / "localhost.pem", folder / "localhost-key.pem")
    files.trust_anchor.write_bytes(anchor.public_bytes(Encoding.PEM))
    files.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    descriptor = os.open(files.key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(server.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    made = {}
    for label, signer in (signers or {}).items():
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), signer.point)
        signed = (
            builder(_name(signer.name), public)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(signs, critical=True)
            .add_extension(
                x509.SubjectAlternativeName(
                    [x509.DNSName(HOST), x509.UniformResourceIdentifier(signer.did)]
                ),
                critical=False,
            )
            .sign(authority, hashes.SHA256())
        )
        made[label] = folder / f"{label}-signer.pem"
        made[label].write_bytes(signed.public_bytes(Encoding.PEM))
    return replace(files, signers=made)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
