"""A desk with a certificate of a synthetic city's CA, and a citizen who trusts that CA."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.attacks import card, forge
from tests.support.certificates import Authority, x5c
from tests.support.credentials import ISSUER, NOW, STATUS_URI
from tests.support.desk import Desk
from wallet.credentials.jose import sign_jws
from wallet.crypto.certificates import TrustAnchors
from wallet.crypto.keys import Es256SigningKey
from wallet.encoding import base64url
from wallet.status.token_status_list import TokenStatusList


def certified(
    open_desk: Callable[..., Desk], folder: Path, *names: x509.GeneralName
) -> tuple[Desk, TrustAnchors]:
    """Return a desk that can ask under every client identifier prefix, and its CA."""
    files, anchors = certificate_files(folder, *(names or (x509.DNSName("verifier.example"),)))
    return open_desk(**files), anchors


def certificate_files(
    folder: Path, *names: x509.GeneralName
) -> tuple[dict[str, Path], TrustAnchors]:
    """Return the settings of a verifier with a certificate for these names, and its CA."""
    root = Authority("Synthetic City Root")
    key = Es256SigningKey.generate()
    leaf = root.leaf(key, *names)
    (folder / "key").write_text(base64url.encode(key.secret()))
    certificate = x509.load_der_x509_certificate(leaf)
    (folder / "chain.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    files = {"signing_key_file": folder / "key", "certificate_file": folder / "chain.pem"}
    return files, TrustAnchors([root.der])


def certified_card(desk: Desk, authority: Authority) -> str:
    """Return a card that comes with a chain by `authority`; its status list is published."""
    key = desk.world.issuer_key
    chain = x5c(authority.leaf(key, x509.UniformResourceIdentifier(ISSUER)), authority.der)
    status = {
        "sub": STATUS_URI,
        "iss": ISSUER,
        "iat": NOW - 5,
        "exp": NOW + 600,
        "status_list": TokenStatusList.empty(1024).to_claim(),
    }
    listed = sign_jws(key, {"typ": "statuslist+jwt", "x5c": chain}, status)
    desk.status_lists.publish(STATUS_URI, listed.encode())
    return forge(key, {"alg": "ES256", "typ": "dc+sd-jwt", "x5c": chain}, card(desk.world))
