"""Attacks on derived proofs of bbs-2023, by the numbers of the project's catalogue (LD-10, SIG-6).

Every one starts from a credential that verifies.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import pytest

from tests.support.w3c import CARD_CONTEXT, NOW, Signer, card, json_ld, p256
from wallet.credentials.cryptosuites.bbs_2023 import (
    BBS_2023,
    BbsSuite,
    PresentationHeaderMismatch,
    bbs_2023,
)
from wallet.credentials.cryptosuites.bbs_values import parse_derived_proof_value
from wallet.credentials.cryptosuites.ecdsa_sd_2023 import ECDSA_SD_2023
from wallet.credentials.data_integrity.cryptosuite import KeyNotForCryptosuite
from wallet.credentials.data_integrity.issue import (
    ProofOptions,
    derive_credential,
    issue_disclosable_credential,
)
from wallet.credentials.data_integrity.proof import ProofMalformed
from wallet.credentials.data_integrity.verify import (
    ASSERTION,
    VerifiedCredential,
    verify_credential,
)
from wallet.credentials.jsonld.errors import StatementsLost
from wallet.crypto.bbs.keys import BbsVerificationKey
from wallet.crypto.bbs.signatures import derive_secret_key
from wallet.crypto.bbs.types import (
    BbsDisclosureMalformed,
    BbsOctetsMalformed,
    BbsProofInvalid,
    BbsSecretKey,
)
from wallet.crypto.bls12_381.backend import GROUP_ORDER, PointMalformed, ScalarMalformed
from wallet.crypto.keys import SignatureInvalid
from wallet.did.did_key import did_key_from_public_key
from wallet.did.resolve import resolve_self_contained
from wallet.did.syntax import parse_did
from wallet.encoding.deterministic_cbor import DeterministicCborMalformed, parse_cbor, to_cbor
from wallet.encoding.json import JsonObject
from wallet.encoding.multibase import decode_base64url, encode_base64url
from wallet.errors import SeoulWalletError

DERIVED: Final = b"\xd9\x5d\x03"
MANDATORY: Final = ["/issuer", "/validFrom", "/validUntil"]
POINTERS: Final = ["/credentialSubject/childCount", "/credentialSubject/children"]
IDENTITY: Final = b"\xc0" + bytes(47)
# x = 4 is on the curve, but outside the subgroup of prime order.
OUTSIDE: Final = b"\x80" + bytes(46) + b"\x04"


def secret_key(seed: int = 1) -> BbsSecretKey:
    return derive_secret_key(bytes([seed]) * 32)


def did_of(key: BbsSecretKey) -> str:
    return did_key_from_public_key(BbsVerificationKey(key.public_key))


def options(did: str) -> ProofOptions:
    return ProofOptions(f"{did}#{did.removeprefix('did:key:')}", created=NOW - 60)


@cache
def _base() -> JsonObject:
    """Return a base proof whose statements are in the same order in every run."""
    key = secret_key()
    unsigned = card(did_of(key))
    configuration = options(did_of(key)).to_json(BBS_2023.name, ASSERTION)
    value, _ = BBS_2023.base_value(
        unsigned, configuration, key, MANDATORY, json_ld(), hmac_key=bytes(32)
    )
    return {**unsigned, "proof": {**configuration, "proofValue": value.to_text()}}


def derived(pointers: list[str] = POINTERS, suite: BbsSuite = BBS_2023) -> JsonObject:
    shown = derive_credential(_base(), pointers, suite, json_ld=json_ld())
    return copy.deepcopy(shown)


def verify(document: JsonObject, suite: BbsSuite = BBS_2023) -> VerifiedCredential:
    did = document["proof"]["verificationMethod"].partition("#")[0]
    documents = {did: resolve_self_contained(parse_did(did))}
    return verify_credential(
        document, documents, now=NOW, json_ld=json_ld(), suites={suite.name: suite}
    )


def with_components(document: JsonObject, change: Callable[[list[Any]], Any]) -> JsonObject:
    data = decode_base64url(document["proof"]["proofValue"], max_characters=100_000)
    components = parse_cbor(data[3:])
    change(components)
    changed = copy.deepcopy(document)
    changed["proof"]["proofValue"] = encode_base64url(DERIVED + to_cbor(components))
    return changed


def put(place: int, value: Any) -> Callable[[list[Any]], None]:
    return lambda parts: parts.__setitem__(place, value)


def splice(start: int, octets: bytes) -> Callable[[list[Any]], None]:
    def change(parts: list[Any]) -> None:
        parts[0] = parts[0][:start] + octets + parts[0][start + len(octets) :]

    return change


def swap_labels(parts: list[Any]) -> None:
    labels = parts[1]
    labels[0], labels[1] = labels[1], labels[0]


CHANGES: Final[dict[str, tuple[Callable[[list[Any]], Any], type[SeoulWalletError]]]] = {
    "Abar is the identity": (splice(0, IDENTITY), PointMalformed),
    "Bbar is the identity": (splice(48, IDENTITY), PointMalformed),
    "D is the identity": (splice(96, IDENTITY), PointMalformed),
    "Abar outside the subgroup": (splice(0, OUTSIDE), PointMalformed),
    "Bbar outside the subgroup": (splice(48, OUTSIDE), PointMalformed),
    "D outside the subgroup": (splice(96, OUTSIDE), PointMalformed),
    "a point not compressed": (splice(0, bytes(48)), PointMalformed),
    "a scalar of zero": (splice(144, bytes(32)), ScalarMalformed),
    "a scalar of the order": (splice(144, GROUP_ORDER.to_bytes(32, "big")), ScalarMalformed),
    "a scalar of 2^256-1": (splice(144, b"\xff" * 32), ScalarMalformed),
    "another scalar": (splice(144, bytes(31) + b"\7"), BbsProofInvalid),
    "proof cut": (lambda parts: put(0, parts[0][:-1])(parts), BbsOctetsMalformed),
    "proof empty": (put(0, b""), BbsOctetsMalformed),
    "proof too long": (put(0, bytes(100_000)), BbsOctetsMalformed),
    "proof as text": (put(0, "proof"), ProofMalformed),
    "one hidden message more": (
        lambda parts: put(0, parts[0] + bytes(31) + b"\7")(parts), BbsProofInvalid,
    ),
    "one hidden message less": (
        lambda parts: put(0, parts[0][:-32])(parts), BbsDisclosureMalformed,
    ),
    "labels swapped": (swap_labels, BbsProofInvalid),
    "label twice": (lambda parts: parts[1].update({1: parts[1][0]}), ProofMalformed),
    "label missing": (lambda parts: parts[1].pop(0), ProofMalformed),
    "label too many": (lambda parts: parts[1].update({9: 9}), ProofMalformed),
    "label as bytes": (lambda parts: parts[1].update({0: b"b0"}), ProofMalformed),
    "label beyond bounds": (lambda parts: parts[1].update({0: 2**40}), ProofMalformed),
    "labels as a list": (put(1, []), ProofMalformed),
    "mandatory index removed": (lambda parts: parts[2].pop(), ProofMalformed),
    "mandatory index twice": (lambda parts: parts[2].append(parts[2][-1]), ProofMalformed),
    "mandatory index out of range": (lambda parts: parts[2].append(4000), ProofMalformed),
    "no mandatory index": (lambda parts: parts[2].clear(), ProofMalformed),
    "mandatory indexes unordered": (lambda parts: parts[2].reverse(), ProofMalformed),
    "mandatory index moved": (lambda parts: parts[2].append(parts[2].pop() + 1), BbsProofInvalid),
    "selective index removed": (lambda parts: parts[3].pop(), ProofMalformed),
    "selective index twice": (lambda parts: parts[3].append(parts[3][-1]), ProofMalformed),
    "selective index out of range": (
        lambda parts: parts[3].append(parts[3].pop() + 200), BbsDisclosureMalformed,
    ),
    "selective index beyond 64 bits": (
        lambda parts: put(3, [*parts[3][:-1], 2**64 - 1])(parts), BbsDisclosureMalformed,
    ),
    "selective indexes unordered": (lambda parts: parts[3].reverse(), ProofMalformed),
    "selective index moved": (
        lambda parts: put(3, [parts[3][0] - 1, *parts[3][1:]])(parts), BbsProofInvalid,
    ),
    "selective index as text": (lambda parts: parts[3].append("9"), ProofMalformed),
    "another presentation header": (put(4, b"another"), BbsProofInvalid),
    "presentation header too long": (put(4, bytes(2000)), ProofMalformed),
    "presentation header as text": (put(4, ""), ProofMalformed),
    "component added": (lambda parts: parts.append(b""), ProofMalformed),
    "component dropped": (lambda parts: parts.pop(), ProofMalformed),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_component_of_a_derived_proof_is_refused(name: str) -> None:
    document = derived()
    verify(document)
    change, error = CHANGES[name]
    changed = with_components(document, change)
    assert changed != document
    with pytest.raises(error):
        verify(changed)


@pytest.mark.parametrize(
    ("header", "error"),
    [(b"\xd9\x5d" + bytes([kind]), ProofMalformed) for kind in (0, 1, 2, 4, 5, 6, 7, 8, 255)]
    + [(b"", ProofMalformed)],
)
def test_a_proof_value_of_another_kind_is_refused(
    header: bytes, error: type[SeoulWalletError]
) -> None:
    document = derived()
    data = decode_base64url(document["proof"]["proofValue"], max_characters=100_000)
    document["proof"]["proofValue"] = encode_base64url(header + data[3:])
    with pytest.raises(error):
        verify(document)


@pytest.mark.parametrize("data", [b"\0", b"\xff"])
def test_bytes_behind_the_proof_value_are_refused(data: bytes) -> None:
    document = derived()
    whole = decode_base64url(document["proof"]["proofValue"], max_characters=100_000)
    document["proof"]["proofValue"] = encode_base64url(whole + data)
    with pytest.raises(DeterministicCborMalformed):
        verify(document)


def test_every_value_that_is_shown_is_covered() -> None:
    changes: tuple[Callable[[JsonObject], Any], ...] = (
        lambda d: d.update(validUntil="2035-01-01T00:00:00Z"),
        lambda d: d["credentialSubject"].update(childCount=3),
        lambda d: d["credentialSubject"]["children"][0].update(birthMonth="2015-04"),
        lambda d: d["proof"].update(created="2026-01-01T00:00:01Z"),
        lambda d: d["proof"].update(expires="2036-01-01T00:00:01Z"),
    )
    for change in changes:
        document = derived()
        change(document)
        with pytest.raises(BbsProofInvalid):
            verify(document)


def test_what_is_mandatory_cannot_be_withheld_and_what_is_hidden_not_added() -> None:
    for name in ("validUntil", "validFrom"):
        document = {key: value for key, value in derived().items() if key != name}
        with pytest.raises((BbsProofInvalid, ProofMalformed)):
            verify(document)
    document = derived()
    document["credentialSubject"]["givenName"] = "합성"
    with pytest.raises(ProofMalformed):
        verify(document)
    document = derived()
    document["credentialSubject"]["shoeSize"] = 42
    with pytest.raises(StatementsLost):
        verify(document)


def test_dates_and_issuer_must_be_mandatory() -> None:
    key = secret_key()
    with pytest.raises(ProofMalformed, match="validUntil must be mandatory"):
        issue_disclosable_credential(
            card(did_of(key)),
            key,
            options(did_of(key)),
            BBS_2023,
            mandatory_pointers=["/issuer", "/validFrom"],
            json_ld=json_ld(),
        )


def test_a_base_proof_is_not_for_verifiers() -> None:
    with pytest.raises(ProofMalformed, match="derived proof"):
        verify(_base())


def test_a_proof_under_another_key_is_refused() -> None:
    document, other = derived(), did_of(secret_key(2))
    document["issuer"] = other
    document["proof"]["verificationMethod"] = options(other).verification_method
    with pytest.raises(BbsProofInvalid):
        verify(document)


def test_a_key_of_another_kind_is_refused() -> None:
    document, signer = derived(), p256()
    document["issuer"] = signer.did
    document["proof"]["verificationMethod"] = signer.method
    with pytest.raises(KeyNotForCryptosuite):
        verify(document)


def test_a_bbs_key_verifies_no_other_signature() -> None:
    key = BbsVerificationKey(secret_key().public_key)
    with pytest.raises(SignatureInvalid):
        key.verify(bytes(64), b"data")
    document, did = _sd(p256()), did_of(secret_key())
    document["issuer"] = did
    document["proof"]["verificationMethod"] = options(did).verification_method
    documents = {did: resolve_self_contained(parse_did(did))}
    with pytest.raises(KeyNotForCryptosuite):
        verify_credential(document, documents, now=NOW, json_ld=json_ld())


def _sd(signer: Signer) -> JsonObject:
    base = issue_disclosable_credential(
        card(signer.did),
        signer.key,
        signer.options(),
        ECDSA_SD_2023,
        mandatory_pointers=MANDATORY,
        json_ld=json_ld(),
    ).document
    return derive_credential(base, POINTERS, ECDSA_SD_2023, json_ld=json_ld())


def test_a_verifier_that_expects_a_presentation_header_gets_that_one() -> None:
    mine, yours = bbs_2023(b"mine"), bbs_2023(b"yours")
    document = derived(suite=mine)
    verify(document, mine)
    verify(document)
    with pytest.raises(PresentationHeaderMismatch):
        verify(document, yours)
    with pytest.raises(PresentationHeaderMismatch):
        verify(derived(), mine)


def test_two_proofs_of_one_credential_share_no_secret_bytes() -> None:
    proofs = [parse_derived_proof_value(derived()["proof"]["proofValue"]).proof for _ in range(8)]
    seen: set[bytes] = set()
    for proof in proofs:
        octets = proof.octets
        parts = {octets[at : at + 16] for at in range(0, len(octets) - 15)}
        assert not parts & seen
        seen |= parts


def test_a_credential_of_another_context_is_another_credential() -> None:
    document = derived()
    document["@context"] = [url for url in document["@context"] if url != CARD_CONTEXT]
    with pytest.raises(StatementsLost):
        verify(document)
