"""A desk with a certificate of a synthetic city's CA, and a citizen who trusts that CA."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.certificates import Authority
from tests.support.desk import Desk
from wallet.crypto.certificates import TrustAnchors
from wallet.crypto.keys import Es256SigningKey
from wallet.encoding import base64url


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
