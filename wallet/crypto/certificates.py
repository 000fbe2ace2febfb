"""X.509 chains in JOSE and COSE headers, judged against given trust anchors (RFC 5280).

Path building and validation are `cryptography.x509.verification`; what it leaves open is decided
here. Revocation of certificates is *not* checked: HAIP leaves it to short lifetimes.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from wallet.crypto.keys import EcPublicKey, PublicKey, UnsupportedKey, ed25519_public_key
from wallet.errors import MalformedError, RejectedError

MAX_CHAIN_CERTIFICATES: Final = 4
MAX_CERTIFICATE_BYTES: Final = 8 * 1024


# What the library raises for bytes that are no certificate, or one that it cannot read in full.
_UNREADABLE: Final = (
    TypeError,
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


class CertificateMalformed(MalformedError):
    """Not a chain of DER certificates of limited number and size."""

    code = "certificate_malformed"


class CertificateNotTrusted(RejectedError):
    """The chain does not lead to a trust anchor by the rules of RFC 5280 and HAIP."""

    code = "certificate_not_trusted"


@dataclass(frozen=True, slots=True)
class VerifiedCertificate:
    """The leaf of a chain that led to a trust anchor: its key and its alternative names.

    `subject` is its distinguished name as one line (RFC 4514), for people to read.
    """

    key: PublicKey
    dns_names: frozenset[str]
    uris: frozenset[str]
    subject: str = ""

    def names(self, issuer: str) -> bool:
        """Tell whether the certificate is for `issuer`: a URI, or an https URL at a DNS name.

        Wildcard names count for nothing.
        """
        if issuer in self.uris:
            return True
        try:
            parts = urlsplit(issuer)
            return parts.scheme == "https" and (parts.hostname or "") in self.dns_names
        except ValueError:
            return False


def parse_x5c(value: object) -> tuple[bytes, ...]:
    """Return the DER certificates of an `x5c` header (RFC 7515 §4.1.6), leaf first.

    Standard base64 with padding. Raises `CertificateMalformed`.
    """
    if type(value) is not list or not 0 < len(value) <= MAX_CHAIN_CERTIFICATES:
        raise CertificateMalformed(f"x5c has 1 to {MAX_CHAIN_CERTIFICATES} certificates")
    chain = []
    for item in value:
        if type(item) is not str or len(item) > 2 * MAX_CERTIFICATE_BYTES or not item.isascii():
            raise CertificateMalformed("a certificate in x5c is a string of limited length")
        try:
            chain.append(binascii.a2b_base64(item, strict_mode=True))
        except binascii.Error:
            raise CertificateMalformed("a certificate in x5c is standard base64") from None
    return tuple(chain)


def parse_pem_chain(data: bytes) -> tuple[bytes, ...]:
    """Return the DER certificates of a PEM file, in its order. Raises `CertificateMalformed`."""
    found = _load_pem(data)
    if len(found) > MAX_CHAIN_CERTIFICATES:
        raise CertificateMalformed(f"a chain has 1 to {MAX_CHAIN_CERTIFICATES} certificates")
    return tuple(_der(certificate) for certificate in found)


def certified_key(der: bytes) -> PublicKey:
    """Return the public key in a certificate, which is not verified here.

    Raises `CertificateMalformed`, `UnsupportedKey`.
    """
    return _public_key(_load(der))


def _load_pem(data: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(data)
    except _UNREADABLE:
        raise CertificateMalformed("not a file of PEM certificates") from None


def _load(der: bytes) -> x509.Certificate:
    if not 0 < len(der) <= MAX_CERTIFICATE_BYTES:
        raise CertificateMalformed(f"a certificate has at most {MAX_CERTIFICATE_BYTES} bytes")
    try:
        certificate = x509.load_der_x509_certificate(der)
        # The library reads these when they are first asked for, and says then what is wrong.
        _ = certificate.issuer, certificate.subject, certificate.extensions
    except _UNREADABLE:
        raise CertificateMalformed("not a DER certificate") from None
    return certificate


class TrustAnchors:
    """The root certificates of one use. None given, nobody trusted."""

    __slots__ = ("_certificates", "_fingerprints", "_store")

    def __init__(self, certificates: Iterable[bytes] = ()) -> None:
        """Take DER certificates. Raises `CertificateMalformed`."""
        self._certificates = tuple(certificates)
        loaded = [_load(der) for der in self._certificates]
        self._fingerprints = frozenset(_fingerprint(certificate) for certificate in loaded)
        self._store = Store(loaded) if loaded else None

    @classmethod
    def from_pem(cls, data: bytes) -> TrustAnchors:
        """Return the anchors of a PEM file. Raises `CertificateMalformed`."""
        return cls(_der(certificate) for certificate in _load_pem(data))

    def __len__(self) -> int:
        return len(self._fingerprints)

    def __reduce__(self) -> tuple[type[TrustAnchors], tuple[tuple[bytes, ...]]]:
        # To another process they go as DER: loaded certificates cannot be copied.
        return TrustAnchors, (self._certificates,)

    def verify_chain(self, chain: Sequence[bytes], *, now: int) -> VerifiedCertificate:
        """Return the leaf of `chain` (DER, leaf first) if it leads to an anchor at `now`.

        Each certificate is signed by the next, the last by an anchor, which is not in the chain.
        The leaf is no CA and may make signatures; those above have critical basicConstraints and
        may sign certificates; all are valid at `now` (unix seconds) and within name constraints.
        A leaf without alternative names is one that names nobody.
        Raises `CertificateMalformed`, `CertificateNotTrusted`, `UnsupportedKey`, `KeyMalformed`.
        """
        if not 0 < len(chain) <= MAX_CHAIN_CERTIFICATES:
            raise CertificateMalformed(f"a chain has 1 to {MAX_CHAIN_CERTIFICATES} certificates")
        certificates = [_load(der) for der in chain]
        if self._store is None:
            raise CertificateNotTrusted("no trust anchor is configured")
        self._refuse_self_signed(certificates)
        leaf, intermediates = certificates[0], certificates[1:]
        verifier = (
            PolicyBuilder()
            .store(self._store)
            .time(datetime.fromtimestamp(now, UTC))
            .max_chain_depth(len(intermediates))
            .extension_policies(ca_policy=_CA_POLICY, ee_policy=_LEAF_POLICY)
            .build_client_verifier()
        )
        try:
            path = verifier.verify(leaf, intermediates).chain
        except (VerificationError, ValueError) as error:
            raise CertificateNotTrusted("the chain does not lead to a trust anchor") from error
        if [_der(item) for item in path[:-1]] != list(chain):
            raise CertificateNotTrusted("the chain holds a certificate that is not on its path")
        return _verified_leaf(leaf, [*intermediates, path[-1]])

    def _refuse_self_signed(self, certificates: Sequence[x509.Certificate]) -> None:
        for certificate in certificates:
            if certificate.issuer == certificate.subject:
                raise CertificateNotTrusted("the chain holds a self-signed certificate")
            if _fingerprint(certificate) in self._fingerprints:
                raise CertificateNotTrusted("the chain holds its own trust anchor")


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _fingerprint(certificate: x509.Certificate) -> bytes:
    return certificate.fingerprint(SHA256())


def _public_key(certificate: x509.Certificate) -> PublicKey:
    try:
        key = certificate.public_key()
    except ValueError:
        raise CertificateMalformed("the key of a certificate cannot be read") from None
    except UnsupportedAlgorithm:
        key = None
    if isinstance(key, ec.EllipticCurvePublicKey):
        return EcPublicKey.from_cryptography(key)
    if isinstance(key, ed25519.Ed25519PublicKey):
        return ed25519_public_key(key.public_bytes_raw())
    raise UnsupportedKey("the key of a certificate is on P-256, P-384 or Ed25519")


def _verified_leaf(
    leaf: x509.Certificate, authorities: Sequence[x509.Certificate]
) -> VerifiedCertificate:
    dns_names, named_uris = _alternative_names(leaf)
    # A CA that is held to some DNS names must not slip away into a URI (RFC 5280 §4.2.1.10 would
    # constrain only the kinds of names that the constraint has).
    constrained = any(
        isinstance(extension.value, x509.NameConstraints)
        for authority in authorities
        for extension in authority.extensions
    )
    uris = frozenset[str]() if constrained else named_uris
    return VerifiedCertificate(_public_key(leaf), dns_names, uris, leaf.subject.rfc4514_string())


def _alternative_names(leaf: x509.Certificate) -> tuple[frozenset[str], frozenset[str]]:
    # RFC 5280 §4.2.1.6 asks for the extension only where the subject is empty: who is known by
    # the digest of the certificate, or by the anchor alone, needs no name.
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset(), frozenset()
    return (
        frozenset(name.lower() for name in names.get_values_for_type(x509.DNSName)),
        frozenset(names.get_values_for_type(x509.UniformResourceIdentifier)),
    )


def authority_key_ids(chain: Sequence[bytes]) -> frozenset[bytes]:
    """Return the authority key identifiers in a chain (RFC 5280 §4.2.1.1), nothing verified.

    Raises `CertificateMalformed`.
    """
    found = set()
    for der in chain:
        for extension in _load(der).extensions:
            if isinstance(extension.value, x509.AuthorityKeyIdentifier):
                found.add(extension.value.key_identifier)
    return frozenset(key_id for key_id in found if key_id is not None)


def _require_signing_ca(
    policy: Policy, certificate: x509.Certificate, usage: x509.KeyUsage
) -> None:
    if not usage.key_cert_sign:
        raise ValueError("keyUsage of a CA lets it sign certificates")


def _require_ca(
    policy: Policy, certificate: x509.Certificate, constraints: x509.BasicConstraints
) -> None:
    if not constraints.ca:
        raise ValueError("a certificate above the leaf is a CA")


def _require_signing_leaf(
    policy: Policy, certificate: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    if usage is not None and not usage.digital_signature:
        raise ValueError("keyUsage of the leaf lets it make signatures")


def _refuse_ca(
    policy: Policy, certificate: x509.Certificate, constraints: x509.BasicConstraints | None
) -> None:
    if constraints is not None and constraints.ca:
        raise ValueError("the leaf is not a CA")


_CA_POLICY: Final = (
    ExtensionPolicy.webpki_defaults_ca()
    .require_present(x509.BasicConstraints, Criticality.CRITICAL, _require_ca)
    .require_present(x509.KeyUsage, Criticality.AGNOSTIC, _require_signing_ca)
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None)
)
_LEAF_POLICY: Final = (
    ExtensionPolicy.permit_all()
    .may_be_present(x509.BasicConstraints, Criticality.AGNOSTIC, _refuse_ca)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _require_signing_leaf)
)
