"""A wallet that is told by a real issuer what it offers, signed, unsigned, or by someone else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.holder_stores import create_store
from tests.support.issuer_network import IssuerNetwork
from tests.support.issuing import NOW, IssuerWorld, issuer_world, key_of
from tests.unit.holder.test_receiving_flows import offer
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.credentials.jose import JwsMalformed, parse_compact_jws, sign_jws
from wallet.crypto.keys import SignatureInvalid, SigningKey
from wallet.did.document import DidDocument, KeyNotAuthorized
from wallet.did.syntax import Did
from wallet.encoding.json import JsonObject
from wallet.holder.answers import AnswerUnexpected
from wallet.holder.issuers import OfferNotTrusted
from wallet.holder.wallet import Wallet
from wallet.ports.facts import DidUnresolvable
from wallet.ports.holder import HttpAnswer, PeerUnreachable
from wallet.protocols.oid4vci.metadata import SIGNED_METADATA_TYPE
from wallet.verification.evidence import Fact

WHERE = "/.well-known/openid-credential-issuer"
DID = "did:web:issuer.example"
Alter = Callable[[HttpAnswer], HttpAnswer]


@dataclass
class MetadataNetwork(IssuerNetwork):
    """The network to the issuer, with someone on it who alters its metadata."""

    alter: Alter = lambda answer: answer
    resolvable: bool = True

    def get(self, url: str, *, accept: str) -> HttpAnswer:
        answer = super().get(url, accept=accept)
        return self.alter(answer) if url.endswith(WHERE) else answer

    def resolve(self, did: Did) -> Fact[DidDocument]:
        if not self.resolvable:
            raise DidUnresolvable("the network is down")
        return super().resolve(did)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[MetadataNetwork]:
    world = issuer_world(tmp_path)
    yield MetadataNetwork(world)
    world.close()


@pytest.fixture
def world(network: MetadataNetwork) -> IssuerWorld:
    return network.world


@pytest.fixture
def wallet(tmp_path: Path, network: MetadataNetwork) -> Iterator[Wallet]:
    with create_store(tmp_path / "wallet.db") as store:
        yield Wallet(
            records=store,
            keys=SoftwareKeyStore(store),
            transport=network,
            dids=network,
            clock=network.world.clock,
        )


def signed_again(
    change: Callable[[JsonObject], JsonObject] = lambda claims: claims,
    *,
    key: SigningKey | None = None,
    **header: str | None,
) -> Alter:
    """Return an alteration that signs changed claims, with the issuer's key or another."""

    def alter(answer: HttpAnswer) -> HttpAnswer:
        jws = parse_compact_jws(answer.body, typ=SIGNED_METADATA_TYPE)
        named = {"typ": SIGNED_METADATA_TYPE, "kid": jws.kid, **header}
        said = {name: value for name, value in named.items() if value is not None}
        token = sign_jws(key or key_of("issuer"), said, change(jws.peek_claims()))
        return replace(answer, body=token.encode())

    return alter


def with_claims(**claims: object) -> Callable[[JsonObject], JsonObject]:
    return lambda old: {**old, **claims}


def without(name: str) -> Callable[[JsonObject], JsonObject]:
    return lambda old: {key: value for key, value in old.items() if key != name}


def tampered(answer: HttpAnswer) -> HttpAnswer:
    elsewhere = with_claims(credential_endpoint="https://issuer.example/other")
    forged = signed_again(elsewhere)(answer).body
    signature = answer.body.rpartition(b".")[2]
    return replace(answer, body=forged.rpartition(b".")[0] + b"." + signature)


def test_takes_what_the_issuer_signed_in_one_request(
    wallet: Wallet, world: IssuerWorld, network: MetadataNetwork
) -> None:
    inspected = wallet.inspect_offer(offer(world))
    assert str(inspected.metadata_signer) == DID
    assert inspected.metadata == world.application.service.issuer_metadata()
    assert network.paths().count(WHERE) == 1
    (told,) = [message for message in network.messages if message.url.endswith(WHERE)]
    assert told.answer_headers["content-type"] == "application/jwt"
    assert len(wallet.receive(inspected)) == 1


def test_takes_unsigned_metadata_and_says_so(
    wallet: Wallet, world: IssuerWorld, network: MetadataNetwork
) -> None:
    plain = world.client.get(WHERE)
    network.alter = lambda _: HttpAnswer(200, "application/json", plain.data)
    inspected = wallet.inspect_offer(offer(world))
    assert inspected.metadata_signer is None
    assert inspected.metadata == world.application.service.issuer_metadata()
    assert len(wallet.receive(inspected)) == 1


def test_an_issuer_may_sign_them_again_without_a_change(
    wallet: Wallet, world: IssuerWorld, network: MetadataNetwork
) -> None:
    network.alter = signed_again()
    assert str(wallet.inspect_offer(offer(world)).metadata_signer) == DID


OTHER = key_of("someone else")
REFUSED: dict[str, tuple[Alter, type[Exception]]] = {
    "changed under the signature": (tampered, SignatureInvalid),
    "signed by another key": (signed_again(key=OTHER), SignatureInvalid),
    "by a key that is not published": (signed_again(kid=f"{DID}#key-9"), KeyNotAuthorized),
    "by the DID of another host": (
        signed_again(key=OTHER, kid="did:web:evil.example#key-1"),
        OfferNotTrusted,
    ),
    "by a DID of its own making": (
        signed_again(key=OTHER, kid="did:key:zDnaeuc1FVS9HeBbMQUojMwr9PN4MApigqjEy63e5qydX8ioc"),
        OfferNotTrusted,
    ),
    "by nobody": (signed_again(kid=None), OfferNotTrusted),
    "by what is no DID": (signed_again(kid="key-1"), OfferNotTrusted),
    "about another issuer": (
        signed_again(with_claims(sub="https://issuer.example/letters")),
        OfferNotTrusted,
    ),
    "about nobody": (signed_again(without("sub")), OfferNotTrusted),
    "of another issuer": (
        signed_again(with_claims(credential_issuer="https://other.example")),
        OfferNotTrusted,
    ),
    "over": (signed_again(with_claims(exp=NOW)), OfferNotTrusted),
    "of the future": (signed_again(with_claims(iat=NOW + 3600)), OfferNotTrusted),
    "of no time": (signed_again(without("iat")), JwsMalformed),
    "another kind of token": (signed_again(typ="JWT"), JwsMalformed),
    "no token": (lambda answer: replace(answer, body=b"{}"), JwsMalformed),
    "an error page": (lambda answer: replace(answer, status=404), AnswerUnexpected),
    "an outage": (lambda answer: replace(answer, status=503), PeerUnreachable),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_signed_metadata_that_are(
    wallet: Wallet, world: IssuerWorld, network: MetadataNetwork, name: str
) -> None:
    network.alter, error = REFUSED[name]
    with pytest.raises(error):
        wallet.receive(offer(world))
    assert "/token" not in network.paths()
    assert wallet.unfinished == 0


def test_what_could_not_be_checked_is_no_verdict(
    wallet: Wallet, world: IssuerWorld, network: MetadataNetwork
) -> None:
    link = offer(world)
    network.resolvable = False
    with pytest.raises(DidUnresolvable):
        wallet.receive(link)
    network.resolvable = True
    assert len(wallet.receive(link)) == 1
