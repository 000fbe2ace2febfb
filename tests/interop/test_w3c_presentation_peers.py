"""Presentations of W3C credentials over OpenID4VP, with PyPI openvc-core and a wallet from npm.

- openvc judges what our wallet posts for `jwt_vc_json` and `ldp_vc`, by the query and the request.
- openvc signs as a wallet, over a credential that our issuer issued, and our verifier decides.
- A wallet of npm packages alone reads our verifier's request, signs and encrypts; ours decides.

openvc expands `type_values` by JSON-LD, so the queries name expanded types, which both take.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from openvc.did.base import DidResolverRegistry
from openvc.did.did_jwk import DidJwkResolver
from openvc.did.did_web import DidWebResolver
from openvc.errors import OpenvcError
from openvc.keys import signing_key_from_jwk
from openvc.openid4vp import verify_vp_token
from openvc.proof.di_ecdsa_rdfc import EcdsaRdfcProofSuite
from openvc.proof.vp_jwt import VpJwtProofSuite

from tests.support.format_town import FormatTown, Holder, query_for
from wallet.adapters.clock import SystemClock
from wallet.credentials.jsonld.seoul import SEOUL_CONTEXT, seoul_context, seoul_contexts
from wallet.crypto.keys import Es256SigningKey
from wallet.did.did_jwk import did_jwk_from_public_key
from wallet.encoding import base64url
from wallet.encoding.form import parse_form
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.holder.cards import Card
from wallet.protocols.oid4vp_response import RawPresentation

EXPANDED = {"type_values": [["https://www.w3.org/2018/credentials#VerifiableCredential"]]}
KNOWN = {url: parse_json_object(data) for url, data in seoul_contexts().documents.items()}
FOLDER = Path(__file__).parent
KINDS = ("jwt", "ldp", "ldp-sd")


def fetch_from(town: FormatTown) -> Any:
    """Return openvc's fetch over the city's network."""

    def fetch(url: str) -> JsonObject:
        return parse_json_object(town.city.network.call("GET", url).body)

    return fetch


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FormatTown]:
    # The peer judges and signs by the clock on the wall.
    built = FormatTown(tmp_path_factory.mktemp("town"), now=SystemClock().now())
    yield built
    built.close()


@pytest.fixture(scope="module")
def holder(town: FormatTown) -> Holder:
    return town.holder()


@pytest.fixture(scope="module")
def cards(town: FormatTown, holder: Holder) -> dict[str, Card]:
    return {kind: town.give(holder, kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_openvc_takes_what_our_wallet_presents_for_its_request_and_no_other(
    town: FormatTown, holder: Holder, cards: dict[str, Card], kind: str
) -> None:
    query = query_for(kind, "child_count", meta=EXPANDED)
    consent = holder.wallet.review(town.ask(query)["link"]).choosing("card", cards[kind].id)
    holder.wallet.present(consent)
    form = dict(parse_form(town.city.network.posted_to("agency.example")[-1]))
    asked: dict[str, Any] = {
        "dcql_query": query,
        "nonce": consent.request.nonce,
        "client_id": consent.audience,
        "resolver": DidResolverRegistry([DidJwkResolver(), DidWebResolver(fetch_from(town))]),
        "now": datetime.fromtimestamp(town.city.clock.now(), UTC),
        "require_holder_binding": True,
        "extra_contexts": {**KNOWN, SEOUL_CONTEXT: seoul_context()},
    }
    (verified,) = verify_vp_token(form["vp_token"], **asked).for_query("card")
    (shown,) = verified.credentials
    assert shown.credential["credentialSubject"]["child_count"] == 2
    for wrong in ({"nonce": "another"}, {"client_id": "x509_san_dns:evil.example"}):
        with pytest.raises(OpenvcError):
            verify_vp_token(form["vp_token"], **{**asked, **wrong})


def peer_key(holder: Holder, card: Card) -> tuple[Any, str]:
    """Return the key of a card as openvc holds keys, and the DID that it makes."""
    handle = holder.credential(card).key_handle
    key = Es256SigningKey.from_secret(holder.store.get("key", handle).payload)
    did = did_jwk_from_public_key(key.public_key)
    jwk = {**key.public_key.jwk, "d": base64url.encode(key.secret())}
    return signing_key_from_jwk(jwk, f"{did}#0"), did


@pytest.mark.parametrize("kind", ["jwt", "ldp"])
@pytest.mark.parametrize("nonce", [None, "another"])
def test_our_verifier_takes_what_openvc_presents_for_its_request_and_no_other(
    town: FormatTown, holder: Holder, cards: dict[str, Card], kind: str, nonce: str | None
) -> None:
    opened = town.ask(query_for(kind, "child_count"))
    consent = holder.wallet.review(opened["link"])
    key, did = peer_key(holder, cards[kind])
    text, nonce = holder.credential(cards[kind]).credential, nonce or consent.request.nonce
    presentation: RawPresentation
    if kind == "jwt":
        presentation = VpJwtProofSuite().sign(
            [text], holder_key=key, audience=consent.audience, nonce=nonce, holder=did
        )
    else:
        unsigned: JsonObject = {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiablePresentation"],
            "holder": did,
            "verifiableCredential": [parse_json_object(text.encode())],
        }
        presentation = EcdsaRdfcProofSuite().add_proof(
            unsigned,
            signing_key=key,
            verification_method=f"{did}#0",
            proof_purpose="authentication",
            challenge=nonce,
            domain=consent.audience,
            extra_contexts={**KNOWN, SEOUL_CONTEXT: seoul_context()},
        )
    assert town.post(consent, presentation).status == 200
    result = town.result(opened)
    if nonce == consent.request.nonce:
        assert (result["outcome"], result["code"]) == ("accepted", None)
        (item,) = result["credentials"]["card"]
        assert item["claims"] == {"credentialSubject": {"child_count": 2}}
    else:
        code = "nonce_mismatch" if kind == "jwt" else "challenge_mismatch"
        assert (result["outcome"], result["code"]) == ("rejected", code)


class NpmWallet:
    """`w3c_wallet.mjs` in a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["node", str(FOLDER / "w3c_wallet.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def answer(self, **asked: Any) -> JsonObject:
        """Return the form that it posts, and the format that it was asked for."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("the wallet has both ends")
        self._process.stdin.write(to_json(asked).decode() + "\n")
        self._process.stdin.flush()
        return parse_json_object(self._process.stdout.readline().encode())

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=30)


@pytest.fixture(scope="module")
def npm_wallet() -> Iterator[NpmWallet]:
    if shutil.which("node") is None or not (FOLDER / "node_modules/@openid4vc").is_dir():
        pytest.skip("needs node: @openid4vc/openid4vp and @digitalbazaar/vc from npm")
    wallet = NpmWallet()
    yield wallet
    wallet.close()


@pytest.mark.node
@pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt"])
@pytest.mark.parametrize("kind", ["jwt", "ldp"])
@pytest.mark.parametrize("nonce", [None, "another"])
def test_our_verifier_takes_what_an_npm_wallet_presents_for_its_request_and_no_other(
    npm_wallet: NpmWallet,
    town: FormatTown,
    holder: Holder,
    cards: dict[str, Card],
    kind: str,
    nonce: str | None,
    mode: str,
) -> None:
    opened = town.ask(
        query_for(kind, "child_count"), client_id_prefix="redirect_uri", response_mode=mode
    )
    held = holder.credential(cards[kind])
    key = Es256SigningKey.from_secret(holder.store.get("key", held.key_handle).payload)
    credential = held.credential
    answered = npm_wallet.answer(
        link=opened["link"],
        credential=credential if kind == "jwt" else parse_json_object(credential.encode()),
        key={**key.public_key.jwk, "d": base64url.encode(key.secret())},
        did=did_jwk_from_public_key(key.public_key),
        documents={**KNOWN, SEOUL_CONTEXT: seoul_context()},
        now=town.city.clock.now(),
        **({} if nonce is None else {"nonce": nonce}),
    )
    assert ("response" in answered["form"]) == (mode == "direct_post.jwt")
    uri = "https://agency.example/responses"
    assert town.city.network.post_form(uri, urlencode(answered["form"]).encode()).status == 200
    result = town.result(opened)
    if nonce is None:
        assert (result["outcome"], result["code"]) == ("accepted", None)
        (item,) = result["credentials"]["card"]
        assert item["claims"] == {"credentialSubject": {"child_count": 2}}
    else:
        code = "nonce_mismatch" if kind == "jwt" else "challenge_mismatch"
        assert (result["outcome"], result["code"]) == ("rejected", code)
