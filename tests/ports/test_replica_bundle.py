"""A replica as a signed file: what goes in comes out, and nothing else is believed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from wallet.adapters.sql.engine import migrate, open_engine, sqlite_url
from wallet.adapters.sql.replica import SqlReplica
from wallet.adapters.sql.replica_snapshot import export_snapshot, import_bundle
from wallet.credentials.jose import JwsMalformed, UnsupportedAlgorithm, sign_jws
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import Ed25519SigningKey, Es256SigningKey, SignatureInvalid
from wallet.encoding import base64url
from wallet.encoding.json import JsonMalformed
from wallet.errors import SeoulWalletError
from wallet.ports.facts import ReplicaDiverged, ReplicaEmpty
from wallet.ports.ledger import ReplicaMismatch
from wallet.trust.events import IssuerRevoked
from wallet.trust.facts import (
    AccreditorScope,
    Assurance,
    BatchFact,
    BlockRef,
    IssuerScope,
    StatusFact,
)
from wallet.trust.replica_bundle import (
    BUNDLE_TYPE,
    BundleInvalid,
    BundleMalformed,
    BundleOlder,
    ReplicaSnapshot,
    issue_replica_bundle,
    verify_replica_bundle,
)

IDENTITY = "eip155:1:0x" + "11" * 20
ACCREDITOR, REGISTRY = "0x" + "22" * 20, "0x" + "33" * 20
ISSUER, SCHEMA, ROOT, LIST, DIGEST, MANIFEST = (bytes([n]) * 32 for n in range(1, 7))
NOW = 1_800_000_000
ASSURANCE = Assurance(endpoints=2, proven=True)
EVENTS = (
    AccreditorScope(ACCREDITOR, SCHEMA, 0, 10, 2000, mandate_id=1),
    IssuerScope(ISSUER, SCHEMA, 0, ACCREDITOR, 20, 1000),
    BatchFact(ISSUER, SCHEMA, ROOT, 2**64 - 1, MANIFEST, 30),
    StatusFact(ISSUER, LIST, 1, DIGEST, 900, 40),
)
OPERATOR = Es256SigningKey.generate()


@pytest.fixture
def empty_replica(tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(sqlite_url(tmp_path / "another.db"))
    migrate(opened, "replica")
    yield opened
    opened.dispose()


def head(number: int) -> BlockRef:
    return BlockRef(number, number.to_bytes(32, "big"), 1000 + number)


def fill(engine: Engine, number: int = 7) -> SqlReplica:
    replica = SqlReplica(engine)
    replica.bind(IDENTITY)
    log_heads = {REGISTRY: b"\x09" * 32}
    replica.apply(EVENTS, head(number), NOW, log_heads=log_heads, assurance=ASSURANCE)
    return replica


def snapshot_at(number: int, observed_at: int = NOW) -> ReplicaSnapshot:
    facts = {
        "accreditor_scopes": EVENTS[:1],
        "issuer_scopes": [replace(EVENTS[1], revoked_at=500)],
        "batches": EVENTS[2:3],
        "statuses": EVENTS[3:],
    }
    log_heads = {REGISTRY: b"\x08" * 32}
    return ReplicaSnapshot(IDENTITY, head(number), observed_at, log_heads, ASSURANCE, facts)


def bundle_at(number: int, observed_at: int = NOW) -> bytes:
    return issue_replica_bundle(snapshot_at(number, observed_at), OPERATOR, NOW)


def test_an_exported_replica_is_read_back_elsewhere(engine: Engine, empty_replica: Engine) -> None:
    source = fill(engine)
    source.apply((IssuerRevoked(ISSUER, SCHEMA, 0, 500),), head(8), NOW + 1, assurance=ASSURANCE)
    data = issue_replica_bundle(export_snapshot(engine), OPERATOR, NOW + 2)
    bundle = verify_replica_bundle(data, OPERATOR.public_key)
    assert bundle.issued_at == NOW + 2
    target = SqlReplica(empty_replica)
    target.bind(IDENTITY)
    assert import_bundle(empty_replica, bundle) == head(8)
    for question in ((ISSUER, SCHEMA, ROOT, LIST), (SCHEMA, SCHEMA, None, None)):
        assert target.anchor_facts(*question) == source.anchor_facts(*question)
    assert target.position() == source.position()
    assert target.position()[1] == {REGISTRY: b"\x09" * 32}
    assert target.accreditor_of(1) == ACCREDITOR
    assert target.assurance() == ASSURANCE
    assert export_snapshot(empty_replica) == export_snapshot(engine)


def test_a_newer_bundle_replaces_and_an_older_one_never_does(engine: Engine) -> None:
    replica = fill(engine)
    newer = verify_replica_bundle(bundle_at(9), OPERATOR.public_key)
    assert import_bundle(engine, newer) == head(9)
    assert import_bundle(engine, newer) == head(9)
    facts = replica.anchor_facts(ISSUER, SCHEMA, ROOT, LIST).value
    assert facts.issuer_scopes[0].revoked_at == 500
    for number, observed_at in ((8, NOW + 9), (9, NOW - 1)):
        older = verify_replica_bundle(bundle_at(number, observed_at), OPERATOR.public_key)
        with pytest.raises(BundleOlder):
            import_bundle(engine, older)
    assert export_snapshot(engine) == newer.snapshot


def test_a_bundle_of_another_deployment_or_chain_is_refused(engine: Engine) -> None:
    with pytest.raises(ReplicaMismatch):
        import_bundle(engine, verify_replica_bundle(bundle_at(9), OPERATOR.public_key))
    fill(engine)
    other = replace(snapshot_at(7), head=replace(head(7), hash=b"\xff" * 32))
    data = issue_replica_bundle(other, OPERATOR, NOW)
    with pytest.raises(ReplicaMismatch):
        import_bundle(engine, verify_replica_bundle(data, OPERATOR.public_key))
    elsewhere = issue_replica_bundle(replace(snapshot_at(9), identity="x"), OPERATOR, NOW)
    with pytest.raises(ReplicaMismatch):
        import_bundle(engine, verify_replica_bundle(elsewhere, OPERATOR.public_key))


def test_an_empty_replica_and_one_with_an_alarm_have_nothing_to_export(engine: Engine) -> None:
    with pytest.raises(ReplicaEmpty):
        export_snapshot(engine)
    replica = fill(engine)
    replica.raise_alarm("a finalized block was replaced")
    with pytest.raises(ReplicaDiverged):
        export_snapshot(engine)
    with pytest.raises(ReplicaDiverged):
        import_bundle(engine, verify_replica_bundle(bundle_at(9), OPERATOR.public_key))
    with pytest.raises(ReplicaDiverged):
        replica.anchor_facts(ISSUER, SCHEMA, None, None)
    with pytest.raises(ReplicaMismatch):
        replica.apply((), head(8), NOW)
    assert SqlReplica(engine).alarm() == "a finalized block was replaced"
    replica.start_anew()
    assert replica.alarm() is None
    assert (replica.position(), replica.assurance()) == ((None, {}), None)
    assert replica.accreditor_of(1) is None
    with pytest.raises(ReplicaMismatch):
        replica.bind("another deployment")
    fill(engine)
    assert replica.head() == head(7)


def test_only_the_pinned_operators_es256_signature_counts() -> None:
    data = bundle_at(7)
    verify_replica_bundle(data, OPERATOR.public_key)
    with pytest.raises(SignatureInvalid):
        verify_replica_bundle(data, Es256SigningKey.generate().public_key)
    other = Ed25519SigningKey.generate()
    strong = issue_replica_bundle(snapshot_at(7), other, NOW)
    with pytest.raises(BundleInvalid):
        verify_replica_bundle(strong, other.public_key)
    line, _, body = data.partition(b"\n")
    with pytest.raises(JwsMalformed):
        verify_replica_bundle(
            sign_jws(OPERATOR, {"typ": "JWT"}, {}).encode() + b"\n" + body, OPERATOR.public_key
        )
    _, claims, _ = line.split(b".")
    none = base64url.encode(b'{"alg":"none","typ":"' + BUNDLE_TYPE.encode() + b'"}').encode()
    with pytest.raises(UnsupportedAlgorithm):
        verify_replica_bundle(none + b"." + claims + b".\n" + body, OPERATOR.public_key)


def signed(body: bytes, identity: str = IDENTITY) -> bytes:
    claims = {"iat": NOW, "sub": identity, "sha256": base64url.encode(sha256(body))}
    return sign_jws(OPERATOR, {"typ": BUNDLE_TYPE}, claims).encode() + b"\n" + body


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (b'"batches":[[', b'"batches":[[null,', BundleMalformed),
        (b'"proven":true', b'"proven":1', BundleMalformed),
        (b'"number":7', b'"number":-7', BundleMalformed),
        (b'"number":7', b'"number":"7"', BundleMalformed),
        (b'"number":7', b'"number":true', BundleMalformed),
        (b'"18446744073709551615"', b'"18446744073709551616"', BundleMalformed),
        (b'"statuses":', b'"extra":0,"statuses":', BundleMalformed),
        (b'"statuses":', b'"others":', BundleMalformed),
        (b'"observed_at":', b'"observed_at":1,"observed_at":', JsonMalformed),
        (b"}", b"", JsonMalformed),
    ],
)
def test_facts_of_another_form_are_refused_even_when_signed(
    old: bytes, new: bytes, error: type[SeoulWalletError]
) -> None:
    body = bundle_at(7).partition(b"\n")[2]
    verify_replica_bundle(signed(body), OPERATOR.public_key)
    assert old in body
    with pytest.raises(error):
        verify_replica_bundle(signed(body.replace(old, new, 1)), OPERATOR.public_key)


def test_a_signature_for_another_deployment_does_not_fit() -> None:
    body = bundle_at(7).partition(b"\n")[2]
    with pytest.raises(BundleInvalid):
        verify_replica_bundle(signed(body, "eip155:2"), OPERATOR.public_key)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_one_changed_bit_anywhere_is_a_typed_error(data: st.DataObject) -> None:
    altered = bytearray(bundle_at(7))
    bit = data.draw(st.integers(0, 8 * len(altered) - 1))
    altered[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SeoulWalletError):
        verify_replica_bundle(bytes(altered), OPERATOR.public_key)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_typed_error(data: bytes) -> None:
    with pytest.raises(SeoulWalletError):
        verify_replica_bundle(data, OPERATOR.public_key)
