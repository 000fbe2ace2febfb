"""Step 2: the issuer's key by certificates, metadata, DID or pinned, as the policy allows."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography import x509

from tests.support.attacks import HEADER, bound, card, forge
from tests.support.certificates import Authority, x5c
from tests.support.clock import SettableClock
from tests.support.credentials import ACCREDITOR, ISSUER, NOW, STATUS_URI, VCT, World, policy
from tests.support.facts import MemoryDidResolver, MemoryReplica, MemoryStatusListSource
from wallet.credentials.cose import X5CHAIN
from wallet.credentials.issuer_metadata import (
    IssuerKeyUnknown,
    IssuerMetadata,
    build_issuer_metadata,
    parse_issuer_metadata,
)
from wallet.credentials.jose import sign_jws
from wallet.credentials.sd_jwt_json import parse_presented_sd_jwt
from wallet.crypto.certificates import CertificateNotTrusted, TrustAnchors
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.errors import SeoulWalletError
from wallet.evidence import FactSources, collect, collect_type_metadata
from wallet.ports.facts import IssuerMetadataUnavailable, TypeMetadataUnavailable
from wallet.status.token_status_list import TokenStatusList
from wallet.trust.facts import AccreditorScope, BlockRef, IssuerNotAccredited, IssuerScope
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.verification.evidence import Evidence, Fact, FactMissing
from wallet.verification.issuer_key import (
    CarriedCertificates,
    IssuerMismatch,
    KeySource,
    KeySourceNotAccepted,
)
from wallet.verification.pipeline import VerifiedPresentation, verify_presentation
from wallet.verification.proof_steps import FactsTooOld

HTTPS = "https://issuer.example/cards"
ROOT = Authority("Synthetic Root")
MIDDLE = Authority("Synthetic Intermediate", ROOT)
ANCHORS = TrustAnchors([ROOT.der])
HOST = x509.DNSName("issuer.example")


class Metadata:
    """`ports.facts.IssuerMetadataSource` over one published document; `asked` lists requests."""

    def __init__(self, *published: IssuerMetadata) -> None:
        self._published = {item.issuer: item for item in published}
        self.asked: list[str] = []

    def resolve(self, issuer: str) -> Fact[IssuerMetadata]:
        self.asked.append(issuer)
        if issuer not in self._published:
            raise IssuerMetadataUnavailable("404")
        return Fact(self._published[issuer], NOW - 10)


class Surroundings:
    """An accredited https issuer, its replica, status list and, if wanted, metadata."""

    def __init__(self, *, accredited: str = HTTPS) -> None:
        self.world = World()
        self.clock = SettableClock(NOW)
        self.chain = x5c(MIDDLE.leaf(self.world.issuer_key, HOST), MIDDLE.der)
        self.metadata = Metadata(metadata_of(self.world))
        self.status_lists = MemoryStatusListSource(self.clock)
        self.replica = MemoryReplica(observed_at=NOW)
        schema = schema_id(VCT)
        self.replica.apply(
            [
                AccreditorScope(ACCREDITOR, schema, 0, NOW - 20, NOW + 20_000),
                IssuerScope(issuer_id(accredited), schema, 0, ACCREDITOR, NOW - 10, NOW + 10_000),
            ],
            BlockRef(1, bytes(32), NOW),
            NOW,
        )
        self.dids = MemoryDidResolver(self.clock)
        self.publish_status({"kid": "key-1"})

    @property
    def sources(self) -> FactSources:
        return FactSources(self.dids, self.status_lists, self.replica, self.metadata, ANCHORS)

    def publish_status(self, header: dict[str, Any]) -> None:
        claims = {
            "sub": STATUS_URI,
            "iat": NOW - 5,
            "exp": NOW + 600,
            "status_list": TokenStatusList.empty(1024).to_claim(),
        }
        token = sign_jws(self.world.issuer_key, {"typ": "statuslist+jwt", **header}, claims)
        self.status_lists.publish(STATUS_URI, token.encode())

    def presentation(self, *, iss: str = HTTPS, **header: Any) -> str:
        head = {**HEADER, "kid": "key-1", **header}
        head = {name: value for name, value in head.items() if value is not None}
        claims = card(self.world, iss=iss)
        return bound(self.world, forge(self.world.issuer_key, head, claims))

    def verify(self, presentation: str, **changes: Any) -> VerifiedPresentation:
        rules = replace(policy(), **{"trust_anchors": ANCHORS, **changes})
        evidence = collect(parse_presented_sd_jwt(presentation), self.sources)
        return verify_presentation(presentation, evidence, rules, now=NOW)


def metadata_of(world: World, **keys: Any) -> IssuerMetadata:
    document = build_issuer_metadata(HTTPS, keys or {"key-1": world.issuer_key.public_key})
    parsed = parse_issuer_metadata(document, HTTPS)
    assert isinstance(parsed, IssuerMetadata)
    return parsed


@pytest.fixture
def around() -> Surroundings:
    return Surroundings()


def test_a_key_from_the_issuers_metadata_verifies_credential_and_status(
    around: Surroundings,
) -> None:
    verified = around.verify(around.presentation())
    assert verified.issuer == HTTPS
    assert around.metadata.asked == [HTTPS]
    assert around.dids.asked == []


def test_a_chain_to_the_anchor_verifies_credential_and_status(around: Surroundings) -> None:
    around.publish_status({"x5c": around.chain})
    verified = around.verify(around.presentation(x5c=around.chain, kid=None))
    assert verified.issuer == HTTPS
    # The header says certificates: nothing else was asked for.
    assert around.metadata.asked == []


@pytest.mark.parametrize(
    ("header", "changes", "error"),
    [
        pytest.param({"kid": "key-2"}, {}, IssuerKeyUnknown, id="no such key"),
        pytest.param({"kid": f"{ISSUER}#key-1"}, {}, IssuerKeyUnknown, id="a DID URL as kid"),
        pytest.param(
            {},
            {"key_sources": frozenset((KeySource.DID, KeySource.X5C))},
            KeySourceNotAccepted,
            id="metadata not accepted",
        ),
        pytest.param({}, {"key_sources": frozenset()}, KeySourceNotAccepted, id="none accepted"),
    ],
)
def test_metadata_is_refused(
    around: Surroundings,
    header: dict[str, Any],
    changes: dict[str, Any],
    error: type[SeoulWalletError],
) -> None:
    with pytest.raises(error):
        around.verify(around.presentation(**header), **changes)


def test_the_only_key_of_the_metadata_needs_no_name(around: Surroundings) -> None:
    assert around.verify(around.presentation(kid=None)).issuer == HTTPS
    other = Es256SigningKey.generate().public_key
    two = {"key-1": around.world.issuer_key.public_key, "key-2": other}
    around.metadata = Metadata(metadata_of(around.world, **two))
    with pytest.raises(IssuerKeyUnknown):
        around.verify(around.presentation(kid=None))
    with pytest.raises(SignatureInvalid):
        around.verify(around.presentation(kid="key-2"))


def test_metadata_that_is_too_old_or_not_to_be_had_is_no_verdict(around: Surroundings) -> None:
    rules = replace(policy(max_issuer_keys_age_s=5), trust_anchors=ANCHORS)
    with pytest.raises(FactsTooOld):
        around.verify(around.presentation(), trust=rules.trust)
    around.metadata = Metadata()
    with pytest.raises(IssuerMetadataUnavailable):
        around.verify(around.presentation())


def test_the_metadata_of_another_issuer_does_not_vouch(around: Surroundings) -> None:
    evidence = collect(parse_presented_sd_jwt(around.presentation()), around.sources)
    other = IssuerMetadata("https://other.example", metadata_of(around.world).keys)
    with pytest.raises(IssuerMismatch):
        verify_presentation(
            around.presentation(),
            replace(evidence, issuer_keys=Fact(other, NOW)),
            policy(),
            now=NOW,
        )


def test_nothing_is_fetched_for_an_issuer_that_nobody_accredited() -> None:
    around = Surroundings(accredited="https://other.example")
    for presentation in (around.presentation(), around.presentation(x5c=around.chain)):
        with pytest.raises(IssuerNotAccredited):
            around.verify(presentation)
    assert around.metadata.asked == []


def test_certificates_are_refused_without_anchors_or_by_policy(around: Surroundings) -> None:
    around.publish_status({"x5c": around.chain})
    presentation = around.presentation(x5c=around.chain)
    with pytest.raises(CertificateNotTrusted):
        around.verify(presentation, trust_anchors=TrustAnchors())
    with pytest.raises(KeySourceNotAccepted):
        around.verify(presentation, key_sources=frozenset((KeySource.DID, KeySource.METADATA)))


def test_a_chain_that_is_not_trusted_does_not_fall_back_to_a_key_by_name(
    around: Surroundings,
) -> None:
    stranger = Authority("Synthetic Root")
    chain = x5c(stranger.leaf(around.world.issuer_key, HOST))
    presentation = around.presentation(x5c=chain, kid="key-1")
    with pytest.raises(CertificateNotTrusted):
        around.verify(presentation)
    evidence = Evidence(
        Fact(metadata_of(around.world), NOW),
        around.replica.anchor_facts(issuer_id(HTTPS), schema_id(VCT), None, None),
    )
    rules = replace(policy(), trust_anchors=ANCHORS)
    with pytest.raises(CertificateNotTrusted):
        verify_presentation(presentation, evidence, rules, now=NOW)


def test_the_certificate_must_name_the_issuer_and_hold_its_key(around: Surroundings) -> None:
    other = x5c(MIDDLE.leaf(around.world.issuer_key, x509.DNSName("other.example")), MIDDLE.der)
    with pytest.raises(IssuerMismatch):
        around.verify(around.presentation(x5c=other))
    foreign = x5c(MIDDLE.leaf(Es256SigningKey.generate(), HOST), MIDDLE.der)
    with pytest.raises(SignatureInvalid):
        around.verify(around.presentation(x5c=foreign))


def test_a_chain_that_has_run_out_is_refused_now(around: Surroundings) -> None:
    old = x5c(MIDDLE.leaf(around.world.issuer_key, HOST, not_after=NOW - 1), MIDDLE.der)
    with pytest.raises(CertificateNotTrusted):
        around.verify(around.presentation(x5c=old))


def test_a_status_list_needs_certificates_where_the_credential_has_them(
    around: Surroundings,
) -> None:
    with pytest.raises(SeoulWalletError):
        around.verify(around.presentation(x5c=around.chain))
    around.publish_status({"x5c": around.chain})
    assert around.verify(around.presentation(x5c=around.chain)).issuer == HTTPS


def test_carried_certificates_without_any_in_the_header_are_not_trusted(
    around: Surroundings,
) -> None:
    evidence = Evidence(Fact(CarriedCertificates(), NOW))
    with pytest.raises(SeoulWalletError):
        verify_presentation(
            around.presentation(),
            evidence,
            replace(policy(), trust_anchors=ANCHORS),
            now=NOW,
        )


def test_without_a_source_of_metadata_there_are_no_keys_for_https_issuers(
    around: Surroundings,
) -> None:
    sources = FactSources(around.dids, around.status_lists, around.replica)
    evidence = collect(parse_presented_sd_jwt(around.presentation()), sources)
    assert isinstance(evidence.issuer_keys, FactMissing)


def test_x5chain_has_its_registered_label() -> None:
    assert X5CHAIN == 33


def test_type_metadata_is_fetched_for_https_types_of_verified_presentations(
    around: Surroundings,
) -> None:
    class Source:
        def __init__(self) -> None:
            self.asked: list[str] = []

        def fetch(self, url: str) -> Fact[bytes]:
            self.asked.append(url)
            return Fact(b'{"vct":"https://types.example/card","name":"Card"}', NOW)

    source = Source()
    verified = around.verify(around.presentation())
    with pytest.raises(TypeMetadataUnavailable):
        collect_type_metadata(verified, source)
    assert source.asked == []
    of_https = replace(verified, vct="https://types.example/card")
    (metadata,) = collect_type_metadata(of_https, source)
    assert metadata.name == "Card"
    assert source.asked == ["https://types.example/card"]
