"""A resource that a credential relates to is the one its issuer saw, if it is at hand."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from tests.support.w3c import NOW, card, documents, ed25519, json_ld
from wallet.credentials.cryptosuites.eddsa_rdfc_2022 import EDDSA_RDFC_2022
from wallet.credentials.data_integrity.issue import issue_credential
from wallet.credentials.data_integrity.verify import verify_credential
from wallet.credentials.jsonld.pinned import CREDENTIALS_V2, pinned_contexts
from wallet.credentials.vc_jose import issue_credential_jwt, verify_credential_jwt
from wallet.credentials.vcdm.credential import parse_credential
from wallet.credentials.vcdm.related import RelatedResourceMismatch, check_related_resources
from wallet.encoding.json import JsonObject
from wallet.encoding.multibase import encode_base58btc, encode_base64url

URL = "https://shop.example/terms"
DATA = "합성 약관".encode()
CONTEXT = pinned_contexts().documents[CREDENTIALS_V2]


def sri(algorithm: str, data: bytes = DATA) -> str:
    return f"{algorithm}-" + base64.b64encode(hashlib.new(algorithm, data).digest()).decode()


def multihash(data: bytes = DATA) -> bytes:
    return b"\x12\x20" + hashlib.sha256(data).digest()


GOOD: dict[str, JsonObject] = {
    "sha256": {"digestSRI": sri("sha256")},
    "sha384": {"digestSRI": sri("sha384")},
    "sha512": {"digestSRI": sri("sha512")},
    "with options": {"digestSRI": sri("sha384") + "?ct=text/plain"},
    "one of the strongest": {"digestSRI": f"{sri('sha384', b'')} {sri('sha384')}"},
    "a weaker one that does not count": {"digestSRI": f"{sri('sha256', b'')} {sri('sha512')}"},
    "an unknown function": {"digestSRI": "sha3-AAAA"},
    "base64url": {"digestMultibase": encode_base64url(multihash())},
    "base58": {"digestMultibase": encode_base58btc(multihash())},
    "a list": {"digestMultibase": [encode_base64url(multihash())]},
    "another function": {"digestMultibase": encode_base64url(b"\x16\x20" + bytes(32))},
    "both": {"digestSRI": sri("sha256"), "digestMultibase": encode_base64url(multihash())},
}
BAD: dict[str, JsonObject] = {
    "another sha256": {"digestSRI": sri("sha256", b"")},
    "the strongest is another": {"digestSRI": f"{sri('sha256')} {sri('sha512', b'')}"},
    "base64url where base64 belongs": {"digestSRI": "sha384-" + "_" * 64},
    "half a digest": {"digestSRI": sri("sha384")[:40]},
    "nothing": {"digestSRI": ""},
    "no digest": {"digestSRI": "sha256"},
    "a number": {"digestSRI": 5},
    "too long": {"digestSRI": sri("sha256") + " " * 1100},
    "another multihash": {"digestMultibase": encode_base64url(multihash(b""))},
    "no multihash": {"digestMultibase": encode_base64url(hashlib.sha256(DATA).digest())},
    "another base": {"digestMultibase": "m" + "A" * 46},
    "an empty list": {"digestMultibase": []},
    "one of two": {"digestMultibase": [encode_base64url(multihash()), "z1"]},
    "an object": {"digestMultibase": {}},
    "one of both": {"digestSRI": sri("sha256"), "digestMultibase": "u"},
}


def relating(digests: JsonObject, url: str = URL) -> JsonObject:
    return {**card(ed25519().did), "relatedResource": {"id": url, **digests}}


@pytest.mark.parametrize("kind", sorted(GOOD))
def test_a_resource_with_its_digest_is_accepted(kind: str) -> None:
    check_related_resources(parse_credential(relating(GOOD[kind])), {URL: DATA})
    if not kind.startswith("an"):
        with pytest.raises(RelatedResourceMismatch):
            check_related_resources(parse_credential(relating(GOOD[kind])), {URL: DATA + b"!"})


@pytest.mark.parametrize("kind", sorted(BAD))
def test_a_resource_with_another_digest_is_refused(kind: str) -> None:
    credential = parse_credential(relating(BAD[kind]))
    with pytest.raises(RelatedResourceMismatch):
        check_related_resources(credential, {URL: DATA})
    # What is not at hand is not checked.
    check_related_resources(credential, {"https://shop.example/": DATA})


def test_verification_compares_the_contexts_that_are_at_hand() -> None:
    issuer = ed25519()

    def verify(digest: Any) -> None:
        unsigned = relating({"digestSRI": digest}, CREDENTIALS_V2)
        signed = issue_credential(
            unsigned, issuer.key, issuer.options(), EDDSA_RDFC_2022, json_ld=json_ld()
        ).document
        verify_credential(signed, documents(issuer), now=NOW, json_ld=json_ld())

    def verify_jwt(digest: Any) -> None:
        unsigned = relating({"digestSRI": digest}, CREDENTIALS_V2)
        token = issue_credential_jwt(unsigned, issuer.key, verification_method=issuer.method)
        verify_credential_jwt(token.compact, documents(issuer), now=NOW)

    for check in (verify, verify_jwt):
        check(sri("sha384", CONTEXT))
        with pytest.raises(RelatedResourceMismatch):
            check(sri("sha384", CONTEXT + b" "))
