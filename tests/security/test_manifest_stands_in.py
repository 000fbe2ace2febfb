"""A batch manifest stands in for a credential's signature only when everything about it fits.

The credential's own signature is broken in every case, so that what does not stand in shows as
`SignatureInvalid`: the pipeline then checks the signature as if there were no manifest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.support.cost import refused
from tests.support.credentials import ISSUER, NOW, VCT, World, policy
from wallet.credentials.jose import JwsMalformed, sign_jws
from wallet.credentials.sd_jwt_json import parse_presented_sd_jwt
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.did.document import KeyNotAuthorized, build_did_document, parse_did_document
from wallet.did.syntax import Did, parse_did
from wallet.encoding import base64url
from wallet.errors import SeoulWalletError
from wallet.evidence import FactSources, collect
from wallet.ports.facts import BatchManifestUnavailable
from wallet.trust.facts import AnchorFacts, IssuerNotAccredited
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.verification.evidence import Evidence, Fact, FactMissing
from wallet.verification.manifest import (
    MANIFEST_TYPE,
    BatchManifestInvalid,
    checked_manifests,
    verify_manifest,
)
from wallet.verification.pipeline import VerifiedPresentation, verify_presentation
from wallet.verification.policy import VerificationPolicy
from wallet.verification.proof_steps import FactsTooOld, HolderBindingInvalid
from wallet.verification.report import SignatureOn
from wallet.verification.trust_steps import BatchRevoked, CredentialRevoked, ReceiptMissing

RULES = policy(require_receipt=True, manifest_stands_in=True)


@dataclass
class Batch:
    """An anchored card whose own signature is broken, and the manifest of its batch."""

    world: World
    presentation: str
    evidence: Evidence
    signed: bytes

    def with_batch(self, **changes: Any) -> Evidence:
        """Return the evidence with another finalized batch."""
        fact = self.evidence.anchor
        assert isinstance(fact, Fact)
        assert fact.value.batch is not None
        batch = replace(fact.value.batch, **changes)
        return replace(self.evidence, anchor=replace(fact, value=replace(fact.value, batch=batch)))


def document(*keys: Es256SigningKey) -> Any:
    named = {f"key-{number}": key.public_key for number, key in enumerate(keys, start=1)}
    return parse_did_document(build_did_document(ISSUER, named), parse_did(ISSUER))


def manifest(
    world: World, root: bytes, key: Es256SigningKey | None = None, /, **changes: Any
) -> bytes:
    claims = {
        "root": base64url.encode(root),
        "size": 64,
        "schema": VCT,
        "time": NOW - 5_100,
        "issuer": ISSUER,
        **changes,
    }
    header = {"typ": MANIFEST_TYPE, "kid": f"{ISSUER}#key-1"}
    return sign_jws(key or world.issuer_key, header, claims).encode()


def broken(compact: str) -> str:
    """Return the credential with a signature of the right form that nobody made."""
    signed, _, rest = compact.partition("~")
    return f"{signed.rpartition('.')[0]}.{base64url.encode(bytes(range(64)))}~{rest}"


def anchored(signed_by: Es256SigningKey | None = None, **changes: Any) -> Batch:
    world = World()
    issued = world.issue()
    receipt, root = world.receipt(issued)
    forged = replace(issued, compact=broken(issued.compact))
    signed = manifest(world, root, signed_by, **changes)
    checked = verify_manifest(
        signed,
        issuer=ISSUER,
        issuer_keys=document(signed_by or world.issuer_key),
        now=NOW,
    )
    made = Batch(world, world.present(forged, receipt=receipt), world.evidence(root), signed)
    made.evidence = replace(
        made.with_batch(manifest_digest=sha256(signed)), manifest=Fact(checked, NOW)
    )
    return made


def verify(
    batch: Batch, evidence: Evidence | None = None, rules: VerificationPolicy = RULES
) -> VerifiedPresentation:
    return verify_presentation(batch.presentation, evidence or batch.evidence, rules, now=NOW)


def test_a_manifest_stands_behind_the_decision_and_the_report_says_so() -> None:
    batch = anchored()
    verified = verify(batch)
    assert verified.report.steps[2].signature_on is SignatureOn.BATCH_MANIFEST
    assert verified.report.to_json()["steps"][2]["signature_on"] == "batch_manifest"
    assert verified.claims["child_count"] == 2
    assert verified.anchored_at == NOW - 5_000


def test_a_signature_on_the_credential_is_told_apart() -> None:
    world = World()
    issued = world.issue()
    receipt, root = world.receipt(issued)
    presentation = world.present(issued, receipt=receipt)
    verified = verify_presentation(presentation, world.evidence(root), RULES, now=NOW)
    assert verified.report.steps[2].signature_on is SignatureOn.CREDENTIAL


def test_the_key_may_be_an_equal_one_of_another_copy_of_the_document() -> None:
    batch = anchored()
    again = document(batch.world.issuer_key)
    assert verify(batch, replace(batch.evidence, issuer_keys=Fact(again, NOW))).vct == VCT


CASES: dict[str, Callable[[], tuple[Batch, Evidence | None, VerificationPolicy]]] = {
    "the policy does not allow it": lambda: (anchored(), None, policy(require_receipt=True)),
    "no manifest": lambda: (
        batch := anchored(),
        replace(batch.evidence, manifest=FactMissing("none")),
        RULES,
    ),
    "signed by another key": lambda: (anchored(Es256SigningKey.generate()), None, RULES),
    "of another root": lambda: (anchored(root=base64url.encode(bytes(32))), None, RULES),
    "of another size": lambda: (anchored(size=65), None, RULES),
    "of another schema": lambda: (anchored(schema=VCT + "x"), None, RULES),
    "not the anchored one": lambda: (
        batch := anchored(),
        batch.with_batch(manifest_digest=bytes(32)),
        RULES,
    ),
    "the batch is of another root": lambda: (
        batch := anchored(),
        batch.with_batch(root=bytes(32)),
        RULES,
    ),
    "the batch is of another size": lambda: (
        batch := anchored(),
        batch.with_batch(size=65),
        RULES,
    ),
    "the batch is of another schema": lambda: (
        batch := anchored(),
        batch.with_batch(schema_id=schema_id("other")),
        RULES,
    ),
    "the batch is of another issuer": lambda: (
        batch := anchored(),
        batch.with_batch(issuer_id=issuer_id("did:web:other.example")),
        RULES,
    ),
    "the batch was revoked": lambda: (
        batch := anchored(),
        batch.with_batch(revoked_at=NOW - 1),
        RULES,
    ),
    "the batch is not final": lambda: (
        batch := anchored(),
        replace(batch.evidence, anchor=Fact(batch.world.anchor_facts(None), NOW)),
        RULES,
    ),
    "the replica is too old": lambda: (
        batch := anchored(),
        replace(batch.evidence, anchor=replace(batch.evidence.anchor, as_of=NOW - 9_999)),  # type: ignore[type-var]
        RULES,
    ),
    "no key binding is asked for": lambda: (
        anchored(),
        None,
        replace(RULES, audience=None, nonce=None),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_does_not_fit_leaves_the_signature_to_be_verified(name: str) -> None:
    batch, evidence, rules = CASES[name]()
    refused(SignatureInvalid, lambda: verify(batch, evidence, rules))


def test_without_a_receipt_nothing_stands_in() -> None:
    batch = anchored()
    world = batch.world
    issued = world.issue()
    bare = world.present(replace(issued, compact=broken(issued.compact)))
    refused(SignatureInvalid, lambda: verify(replace(batch, presentation=bare)))
    whole = world.present(issued)
    refused(ReceiptMissing, lambda: verify(replace(batch, presentation=whole)))


def test_another_credential_does_not_ride_on_the_receipt() -> None:
    batch = anchored()
    other = replace(batch.world, claims={**batch.world.claims, "child_count": 9})
    forged = other.issue()
    receipt, _ = batch.world.receipt(batch.world.issue())
    ridden = other.present(replace(forged, compact=broken(forged.compact)), receipt=receipt)
    refused(SignatureInvalid, lambda: verify(replace(batch, presentation=ridden)))


def test_everything_behind_the_signature_is_still_checked() -> None:
    batch = anchored()
    revoked = replace(batch.world, statuses={7: 1})
    assert verify(batch).anchored_at is not None
    listed = revoked.evidence().status_list
    anchor = batch.evidence.anchor
    assert isinstance(anchor, Fact)
    status = replace(anchor.value, status=revoked.anchor_facts().status)
    refused(
        CredentialRevoked,
        lambda: verify(
            batch,
            replace(batch.evidence, status_list=listed, anchor=replace(anchor, value=status)),
        ),
    )
    gone = replace(anchor, value=replace(anchor.value, issuer_scopes=()))
    refused(IssuerNotAccredited, lambda: verify(batch, replace(batch.evidence, anchor=gone)))
    rotated = document(Es256SigningKey.generate())
    refused(
        SignatureInvalid,
        lambda: verify(batch, replace(batch.evidence, issuer_keys=Fact(rotated, NOW))),
    )
    removed = replace(rotated, methods={}, relationships={})
    refused(
        KeyNotAuthorized,
        lambda: verify(batch, replace(batch.evidence, issuer_keys=Fact(removed, NOW))),
    )
    stale = Fact(document(batch.world.issuer_key), NOW - 999_999)
    refused(FactsTooOld, lambda: verify(batch, replace(batch.evidence, issuer_keys=stale)))
    late = replace(batch, presentation=batch.presentation)
    refused(
        HolderBindingInvalid,
        lambda: verify_presentation(late.presentation, late.evidence, RULES, now=NOW + 1_000),
    )


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"root": "AA"}, JwsMalformed),
        ({"root": None}, JwsMalformed),
        ({"size": 0}, JwsMalformed),
        ({"size": True}, JwsMalformed),
        ({"size": "64"}, JwsMalformed),
        ({"schema": None}, JwsMalformed),
        ({"time": "now"}, JwsMalformed),
        ({"time": None}, JwsMalformed),
        ({"issuer": "did:web:other.example"}, BatchManifestInvalid),
        ({"issuer": None}, JwsMalformed),
    ],
)
def test_refuses_a_manifest_with_other_members(
    change: dict[str, Any], error: type[SeoulWalletError]
) -> None:
    world = World()
    keys = document(world.issuer_key)
    good = manifest(world, bytes(32))
    assert verify_manifest(good, issuer=ISSUER, issuer_keys=keys, now=NOW).digest == sha256(good)
    bad = manifest(world, bytes(32), **change)
    refused(error, lambda: verify_manifest(bad, issuer=ISSUER, issuer_keys=keys, now=NOW))


def test_refuses_a_manifest_that_is_unsigned_or_signed_by_another_key() -> None:
    world = World()
    keys = document(world.issuer_key)
    good = manifest(world, bytes(32))
    signed = good.rpartition(b".")[0]
    for bad in (
        manifest(world, bytes(32), Es256SigningKey.generate()),
        signed + b"." + base64url.encode(bytes(64)).encode(),
        signed + b".",
    ):
        refused(
            SignatureInvalid,
            lambda bad=bad: verify_manifest(bad, issuer=ISSUER, issuer_keys=keys, now=NOW),
        )
    other = sign_jws(world.issuer_key, {"typ": "statuslist+jwt"}, {"issuer": ISSUER}).encode()
    refused(JwsMalformed, lambda: verify_manifest(other, issuer=ISSUER, issuer_keys=keys, now=NOW))
    refused(
        BatchManifestInvalid,
        lambda: verify_manifest(good, issuer="did:web:other.example", issuer_keys=keys, now=NOW),
    )


@dataclass
class Around:
    """The outside of one issuer: every port that `collect` asks, and how often for manifests."""

    batch: Batch
    asked: int = 0

    def resolve(self, did: Did) -> Fact[Any]:
        assert isinstance(self.batch.evidence.issuer_keys, Fact)
        return self.batch.evidence.issuer_keys

    def anchor_facts(self, *_: object) -> Fact[AnchorFacts]:
        assert isinstance(self.batch.evidence.anchor, Fact)
        return self.batch.evidence.anchor


class Lists(Around):
    def fetch(self, uri: str) -> Fact[bytes]:
        return Fact(self.batch.world.status_token(), NOW)


class Manifests(Around):
    def fetch(self, issuer: str, root: bytes) -> Fact[bytes]:
        self.asked += 1
        if not self.batch.signed:
            raise BatchManifestUnavailable("down")
        return Fact(self.batch.signed, NOW)


def test_a_manifest_is_fetched_and_verified_once_and_its_key_compared_every_time() -> None:
    batch = anchored()
    around, manifests = Around(batch), Manifests(batch)
    sources = FactSources(around, Lists(batch), around, manifests=manifests)
    parsed = parse_presented_sd_jwt(batch.presentation)
    for _ in range(3):
        assert verify(batch, collect(parsed, sources)).vct == VCT
    assert manifests.asked == 1
    batch.evidence = replace(batch.evidence, issuer_keys=Fact(document(World().issuer_key), NOW))
    refused(SignatureInvalid, lambda: verify(batch, collect(parsed, sources)))


def test_a_manifest_that_was_not_anchored_or_is_not_there_is_no_evidence() -> None:
    batch = anchored()
    around, manifests = Around(batch), Manifests(batch)
    sources = FactSources(around, Lists(batch), around, manifests=manifests)
    parsed = parse_presented_sd_jwt(batch.presentation)
    good, batch.signed = batch.signed, manifest(batch.world, bytes(32))
    assert type(collect(parsed, sources).manifest) is BatchManifestInvalid
    batch.signed = b""
    assert type(collect(parsed, sources).manifest) is BatchManifestUnavailable
    assert type(collect(parsed, replace(sources, manifests=None)).manifest) is FactMissing
    batch.signed = good
    assert isinstance(collect(parsed, sources).manifest, Fact)
    refused(BatchRevoked, lambda: revoked_with_its_own_signature(batch))


def revoked_with_its_own_signature(batch: Batch) -> None:
    world = batch.world
    issued = world.issue()
    receipt, root = world.receipt(issued)
    evidence = batch.with_batch(root=root, revoked_at=NOW - 1)
    verify_presentation(world.present(issued, receipt=receipt), evidence, RULES, now=NOW)


def test_only_so_many_manifests_are_kept() -> None:
    batch = anchored()
    assert isinstance(batch.evidence.manifest, Fact)
    kept, one = checked_manifests(limit=2), batch.evidence.manifest.value
    for number in range(3):
        kept.put(bytes([number]) * 32, replace(one, digest=bytes([number]) * 32))
    assert kept.get(bytes(32)) is None
    assert kept.get(b"\x02" * 32) is not None
