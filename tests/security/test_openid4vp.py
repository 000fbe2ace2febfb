"""Attacks on OpenID4VP, on verifier and wallet, with the outcome that each must have."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.certificates import Authority, x5c
from tests.support.certified_desk import certified
from tests.support.citizen import Citizen
from tests.support.credentials import ACCREDITOR, NOW, VCT
from tests.support.desk import Desk
from tests.support.holder_peers import Issuer, Peers, Verifier, card_query, json_of
from tests.support.holder_server import serve
from tests.support.holder_stores import create_store
from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.holder import HttpHolderTransport
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.credentials.jose import sign_jws
from wallet.credentials.jwe import EncryptionKey, encrypt_jwe
from wallet.credentials.sd_jwt import issue_sd_jwt_vc
from wallet.crypto.certificates import CertificateNotTrusted, TrustAnchors
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.did.document import build_did_document
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import SeoulWalletError
from wallet.holder.wallet import Wallet
from wallet.ports.holder import HttpAnswer, RedirectRefused
from wallet.protocols.client_id import ClientIdMismatch, HashClientId, parse_client_id
from wallet.protocols.oid4vp import AuthorizationRequest
from wallet.protocols.oid4vp_metadata import response_encryption
from wallet.protocols.oid4vp_request_object import (
    RequestNotSigned,
    parse_request_object,
    verify_request_object,
)
from wallet.protocols.oid4vp_transaction import UnsupportedTransactionData
from wallet.trust.facts import IssuerScope
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.verification.policy import TrustPolicy

WITHIN_S = 0.1
AGREEMENT: JsonObject = {
    "type": "urn:seoul-wallet:agreement:1",
    "credential_ids": ["card"],
    "text": "I enrol my child in the swimming class.",
}


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def open_one(**changes: Any) -> Desk:
        folder = tmp_path / f"desk-{len(desks)}"
        folder.mkdir()
        desks.append(Desk(folder, changes))
        return desks[-1]

    yield open_one
    for desk in desks:
        desk.verifier.close()


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk()


class TestRequestsThatAreNotTheClients:
    """VP-6: whose certificate signed, and for which name."""

    ROOT = Authority("Synthetic Root")
    KEY = Es256SigningKey.generate()
    ANCHORS = TrustAnchors([ROOT.der])

    def claims(self, client_id: str) -> JsonObject:
        return {
            "response_type": "vp_token",
            "response_mode": "direct_post",
            "client_id": client_id,
            "response_uri": "https://verifier.example/responses",
            "nonce": "a-nonce",
            "aud": "https://self-issued.me/v2",
            "dcql_query": {"credentials": [card_query(["name"])]},
        }

    def verify(self, client_id: str, *chain: bytes, claimed: str | None = None) -> None:
        header = {"typ": "oauth-authz-req+jwt", "x5c": x5c(*chain)}
        signed = sign_jws(self.KEY, header, self.claims(claimed or client_id))
        verify_request_object(
            parse_request_object(signed), parse_client_id(client_id), self.ANCHORS, now=NOW
        )

    def leaf(self, *names: str, root: Authority = ROOT, **changes: Any) -> bytes:
        return root.leaf(self.KEY, *(x509.DNSName(name) for name in names), **changes)

    def test_vp_6_a_certificate_of_the_name_signs_and_others_do_not(self) -> None:
        self.verify("x509_san_dns:verifier.example", self.leaf("verifier.example"))
        for names in (("evil.example",), ("*.example",), ("sub.verifier.example",)):
            with pytest.raises(ClientIdMismatch):
                self.verify("x509_san_dns:verifier.example", self.leaf(*names))
        stranger = Authority("Stranger")
        for leaf in (
            self.leaf("verifier.example", root=stranger),
            self.leaf("verifier.example", not_after=NOW - 1),
        ):
            with pytest.raises(CertificateNotTrusted):
                self.verify("x509_san_dns:verifier.example", leaf)
        with pytest.raises(ClientIdMismatch):
            # The name is right, but the answer would go to another host.
            self.verify("x509_san_dns:other.example", self.leaf("other.example"))

    def test_vp_6_a_hash_is_of_the_certificate_that_signed(self) -> None:
        leaf, other = self.leaf("verifier.example"), self.leaf("verifier.example")
        self.verify(str(HashClientId.of_certificate(leaf)), leaf)
        with pytest.raises(ClientIdMismatch):
            self.verify(str(HashClientId.of_certificate(other)), leaf)

    def test_vp_6_one_prefix_does_not_stand_for_another(self) -> None:
        leaf = self.leaf("verifier.example")
        with pytest.raises(ClientIdMismatch):
            self.verify(
                "x509_san_dns:verifier.example",
                leaf,
                claimed="redirect_uri:https://verifier.example/responses",
            )
        with pytest.raises(RequestNotSigned):
            self.verify("redirect_uri:https://verifier.example/responses", leaf)
        with pytest.raises(ClientIdMismatch):
            self.verify("decentralized_identifier:did:web:verifier.example", leaf)

    def test_vp_6_a_certificate_of_another_key_does_not_vouch(self) -> None:
        leaf = self.ROOT.leaf(Es256SigningKey.generate(), x509.DNSName("verifier.example"))
        with pytest.raises(SignatureInvalid):
            self.verify("x509_san_dns:verifier.example", leaf)


@pytest.mark.loopback
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("at", ["requests", "answers"])
def test_vp_7_a_redirect_is_not_followed(tmp_path: Path, status: int, at: str) -> None:
    peers = Peers(development=True)
    with serve(peers) as base, create_store(tmp_path / "wallet.db") as store:
        client = GuardedClient(allow_loopback_http=True)
        issuer = Issuer(peers, base="https://issuer.example")
        wallet = Wallet(
            records=store,
            keys=SoftwareKeyStore(store),
            transport=peers,
            dids=peers,
            clock=peers.clock,
            development=True,
        )
        wallet.receive(issuer.offer().to_json())
        over_http = Wallet(
            records=store,
            keys=SoftwareKeyStore(store),
            transport=HttpHolderTransport(client),
            dids=peers,
            clock=peers.clock,
            development=True,
        )
        link = Verifier(peers, issuer, base=base).ask(card_query(["name"]))
        followed: list[str] = []
        peers.routes[f"{base}/elsewhere"] = lambda *_: followed.append("") or json_of({})
        for url in list(peers.routes):
            if f"/{at}" in url:
                peers.routes[url] = lambda *_: HttpAnswer(status, "text/html", b"")
        with pytest.raises(RedirectRefused):
            over_http.present(over_http.review(link))
        assert followed == []
        client.close()


def forged(request: AuthorizationRequest, plaintext: bytes, **changes: Any) -> str:
    """Return a JWE for the request's key, with changed header members and parts."""
    recipient, _ = response_encryption(request.client_metadata)
    key = changes.pop("key", recipient.key)
    kid = changes.pop("kid", recipient.kid)
    token = encrypt_jwe(plaintext, EncryptionKey(key, kid), enc="A128GCM")
    if not changes:
        return token
    head, *rest = token.split(".")
    header = {**parse(head), **changes}
    return ".".join([base64url.encode(to_json(header)), *rest])


def parse(part: str) -> JsonObject:
    return parse_json_object(base64url.decode(part))


OFF_CURVE = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 42 + "E"}
P_384 = {"kty": "EC", "crv": "P-384", "x": "A" * 64, "y": "A" * 64}
BOMB = zlib.compress(b"\0" * (32 * 1024 * 1024), 9)
VP_12: dict[str, dict[str, Any]] = {
    "alg none": {"alg": "none"},
    "alg dir": {"alg": "dir"},
    "key wrapping": {"alg": "ECDH-ES+A128KW"},
    "PBES2 with a thousand million rounds": {
        "alg": "PBES2-HS256+A128KW",
        "p2s": "AAAA",
        "p2c": 10**9,
    },
    "RSA": {"alg": "RSA-OAEP"},
    "compressed": {"zip": "DEF"},
    "critical": {"crit": ["exp"], "exp": 1},
    "content encryption that was not offered": {"enc": "A128CBC-HS256"},
    "content encryption of another kind": {"enc": "A192GCM"},
    "epk off the curve": {"epk": OFF_CURVE},
    "epk of another curve": {"epk": P_384},
    "epk missing": {"epk": None},
    "epk at infinity": {"epk": {"kty": "EC", "crv": "P-256", "x": "", "y": ""}},
    "apu too long": {"apu": "A" * 4000},
    "kid of nobody": {"kid": "nobody"},
    "kid missing": {"kid": None},
    "another key": {"key": ec.generate_private_key(ec.SECP256R1()).public_key()},
}


@pytest.mark.parametrize("name", VP_12)
def test_vp_12_an_encrypted_answer_that_is_hostile_is_refused_in_no_time(
    desk: Desk, name: str
) -> None:
    opened = desk.ask(response_mode="direct_post.jwt")
    request = desk.fetch(opened)
    answer = to_json({"vp_token": {"card": [desk.card(request)]}, "state": request.state})
    plaintext = BOMB if name == "compressed" else answer
    token = forged(request, plaintext, **VP_12[name])
    started = time.thread_time()
    refused = desk.client.post("/responses", data={"response": token})
    assert time.thread_time() - started < WITHIN_S
    assert refused.status_code == 400
    # Nothing was used up: the honest answer is still taken.
    honest = desk.client.post("/responses", data={"response": forged(request, answer)})
    assert honest.status_code == 200
    assert desk.result(opened).get_json()["outcome"] == "accepted"


def test_vp_12_a_plain_answer_to_a_request_for_an_encrypted_one_is_refused(desk: Desk) -> None:
    opened = desk.ask(response_mode="direct_post.jwt")
    request = desk.fetch(opened)
    assert desk.post(request, {"card": [desk.card(request)]}).status_code == 400
    assert desk.result(opened).get_json()["state"] == "fetched"


def test_vp_12_an_answer_encrypted_for_another_session_is_refused(desk: Desk) -> None:
    first, second = (desk.ask(response_mode="direct_post.jwt") for _ in range(2))
    one, two = desk.fetch(first), desk.fetch(second)
    answer = to_json({"vp_token": {"card": [desk.card(one)]}, "state": one.state})
    recipient, _ = response_encryption(two.client_metadata)
    crossed = forged(one, answer, kid=recipient.kid)
    assert desk.client.post("/responses", data={"response": crossed}).status_code == 400
    wrong_state = forged(two, answer)
    assert desk.client.post("/responses", data={"response": wrong_state}).status_code == 400


def bound(request: AuthorizationRequest, **changes: Any) -> JsonObject:
    """Return the claims that authorize the request's transactions, with changes."""
    hashes = [item.digest("sha-256") for item in request.transaction_data]
    return {"transaction_data_hashes": hashes, **changes}


@pytest.mark.parametrize(
    ("changes", "accepted"),
    [
        ({}, True),
        ({"transaction_data_hashes_alg": "sha-256"}, True),
        ({"transaction_data_hashes": []}, False),
        ({"transaction_data_hashes": ["A" * 43]}, False),
        ({"transaction_data_hashes": "A" * 43}, False),
        ({"transaction_data_hashes_alg": "sha-512"}, False),
        ({"transaction_data_hashes_alg": "md5"}, False),
        ({"transaction_data_hashes_alg": None}, False),
    ],
)
def test_vp_13_a_transaction_must_be_bound_as_it_was_asked(
    desk: Desk, changes: JsonObject, accepted: bool
) -> None:
    opened = desk.ask(transaction_data=[AGREEMENT])
    request = desk.fetch(opened)
    card = desk.card(request, extra=bound(request, **changes))
    told = desk.decide(opened, request, {"card": [card]})
    assert told["outcome"] == ("accepted" if accepted else "rejected")
    if not accepted:
        assert told["code"] == "transaction_data_mismatch"
        assert told["credentials"] is None


@pytest.mark.parametrize("named", ["sha-256", "sha-512", None])
def test_vp_13_an_answer_names_the_hash_function_where_the_request_does(
    desk: Desk, named: str | None
) -> None:
    asked = {**AGREEMENT, "transaction_data_hashes_alg": ["sha-512", "sha-256"]}
    request = desk.fetch(opened := desk.ask(transaction_data=[asked]))
    hashes = [item.digest(named or "sha-256") for item in request.transaction_data]
    claims: JsonObject = {"transaction_data_hashes": hashes}
    if named is not None:
        claims["transaction_data_hashes_alg"] = named
    told = desk.decide(opened, request, {"card": [desk.card(request, extra=claims)]})
    assert told["outcome"] == ("rejected" if named is None else "accepted")
    assert told["code"] == ("transaction_data_mismatch" if named is None else None)


def test_vp_13_a_missing_a_doubled_and_an_uncalled_for_transaction_are_refused(
    desk: Desk,
) -> None:
    opened = desk.ask(transaction_data=[AGREEMENT])
    request = desk.fetch(opened)
    told = desk.decide(opened, request, {"card": [desk.card(request)]})
    assert told["code"] == "transaction_data_mismatch"
    (one,) = bound(request)["transaction_data_hashes"]
    opened = desk.ask(transaction_data=[AGREEMENT])
    again = desk.fetch(opened)
    twice = desk.card(again, extra={"transaction_data_hashes": [one, one]})
    assert desk.decide(opened, again, {"card": [twice]})["code"] == "transaction_data_mismatch"
    opened = desk.ask()
    plain = desk.fetch(opened)
    uncalled = desk.card(plain, extra={"transaction_data_hashes": [one]})
    assert desk.decide(opened, plain, {"card": [uncalled]})["code"] == "transaction_data_mismatch"


def test_vp_13_a_hash_on_another_credential_does_not_authorize(desk: Desk) -> None:
    opened = desk.ask("both", transaction_data=[AGREEMENT])
    request = desk.fetch(opened)
    answer = {
        "card": [desk.card(request, disclose=(("child_count",),))],
        "letter": [desk.letter_for(request, extra=bound(request))],
    }
    assert desk.decide(opened, request, answer)["code"] == "transaction_data_mismatch"


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "payment"},
        {"text": ""},
        {"text": 7},
        {"text": None},
        {"transaction_data_hashes_alg": ["md5"]},
    ],
)
def test_vp_13_a_wallet_agrees_to_nothing_that_it_cannot_show(
    desk: Desk, tmp_path: Path, changes: JsonObject
) -> None:
    citizen = Citizen.at(desk, tmp_path)
    citizen.hold()
    body = {name: value for name, value in {**AGREEMENT, **changes}.items() if value is not None}
    opened = desk.ask(transaction_data=[body])
    with pytest.raises(UnsupportedTransactionData):
        citizen.wallet.review(opened["link"])


def test_vp_15_the_same_value_of_another_issuer_is_another_subject(
    open_desk: Callable[..., Desk],
) -> None:
    desk = open_desk(trust=TrustPolicy(require_status=False))
    other, key = "did:web:other.example", Es256SigningKey.generate()
    desk.dids.publish(build_did_document(other, {"key-1": key.public_key}))
    claims = {name: value for name, value in desk.world.claims.items() if name != "status"}
    issued = issue_sd_jwt_vc(
        {**claims, "iss": other},
        desk.world.disclosable,
        key,
        verification_method=f"{other}#key-1",
        holder=desk.world.holder_key.public_key,
    )

    def told(make: Callable[[AuthorizationRequest], str]) -> JsonObject:
        opened = desk.ask()
        request = desk.fetch(opened)
        return desk.decide(opened, request, {"card": [make(request)]})

    def from_other(request: AuthorizationRequest) -> str:
        audience, now = str(request.client_id), desk.clock.now()
        return desk.world.present(issued, audience=audience, nonce=request.nonce, issued_at=now)

    assert told(from_other)["code"] == "issuer_not_accredited"
    span = (NOW - 20_000, NOW + 20_000)
    desk.follow(IssuerScope(issuer_id(other), schema_id(VCT), 0, ACCREDITOR, *span))
    subjects = [
        (credential["issuer"], credential["claims"]["child_count"])
        for make in (desk.card, from_other)
        for credential in told(make)["credentials"]["card"]
    ]
    # Whoever sees the claim sees whose word it is: the two together name a subject.
    assert subjects == [("did:web:issuer.example", 2), (other, 2)]


def test_vp_6_a_wallet_sends_nothing_when_the_request_is_not_in_order(
    open_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    desk, _ = certified(open_desk, tmp_path)
    citizen = Citizen.at(desk, tmp_path, anchors=TrustAnchors())
    citizen.hold()
    for prefix in ("x509_san_dns", "x509_hash"):
        opened = desk.ask(client_id_prefix=prefix)
        with pytest.raises(SeoulWalletError):
            citizen.wallet.review(opened["link"])
        assert desk.result(opened).get_json()["state"] == "fetched"
    assert all("/responses" not in url for _, url, _ in citizen.transport.sent)
