"""The @digitalbazaar Data Integrity libraries under Node.js, as a peer."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.w3c import NOW, BbsSigner, Controller, Signer, contexts
from wallet.crypto.keys import Ed25519SigningKey, Es256SigningKey
from wallet.crypto.signing_keys import Es384SigningKey
from wallet.did.did_key import multikey_from_public_key
from wallet.encoding.json import JsonObject
from wallet.encoding.multibase import encode_base58btc

FOLDER = Path(__file__).resolve().parents[1] / "interop"
# Multicodec codes as variable-length integers.
_SECRET_PREFIX = {
    Ed25519SigningKey: b"\x80\x26",
    Es256SigningKey: b"\x86\x26",
    Es384SigningKey: b"\x87\x26",
}


def multikey(signer: Controller, *, secret: bool = False) -> JsonObject:
    """Return the Multikey of a signer, with its secret if asked."""
    method: JsonObject = {
        "@context": "https://w3id.org/security/multikey/v1",
        "id": signer.method,
        "type": "Multikey",
        "controller": signer.did,
        "publicKeyMultibase": multikey_from_public_key(signer.public_key),
    }
    if secret:
        method["secretKeyMultibase"] = encode_base58btc(_secret(signer))
    return method


def _secret(signer: Controller) -> bytes:
    if isinstance(signer, BbsSigner):
        return b"\x8a\x26" + signer.key.secret
    assert isinstance(signer, Signer)
    key = signer.key
    assert isinstance(key, (Ed25519SigningKey, Es256SigningKey, Es384SigningKey))
    return _SECRET_PREFIX[type(key)] + key.secret()


def known_documents(*signers: Controller) -> JsonObject:
    """Return what the peer's document loader may know: contexts, keys and their controllers."""
    known: JsonObject = {url: json.loads(data) for url, data in contexts().documents.items()}
    for signer in signers:
        known[signer.method] = multikey(signer)
        known[signer.did] = {
            "@context": "https://www.w3.org/ns/did/v1",
            "id": signer.did,
            "verificationMethod": [multikey(signer)],
            "assertionMethod": [signer.method],
            "authentication": [signer.method],
        }
    return known


class Digitalbazaar:
    """The peer as a process that does one action after the other; ended by `close`.

    Skips without Node.js and the packages.
    """

    def __init__(self) -> None:
        if (
            shutil.which("node") is None
            or not (FOLDER / "node_modules/@digitalbazaar/vc").is_dir()
        ):
            pytest.skip("needs node: @digitalbazaar/vc from npm")
        self._process = subprocess.Popen(
            ["node", str(FOLDER / "digitalbazaar.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __call__(
        self, action: str, suite: str, document: JsonObject, **request: Any
    ) -> JsonObject:
        """Run one action."""
        body = {"do": action, "suite": suite, "document": document, "now": NOW, **request}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(body).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the peer ended, see what it wrote"
        answer: JsonObject = json.loads(line)
        return answer

    def close(self) -> None:
        """Let it end; it has nothing more to do."""
        self._process.communicate(timeout=30)
