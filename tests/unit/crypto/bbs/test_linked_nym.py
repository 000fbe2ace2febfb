"""A second pseudonym of one proof, which the proof's verifier does not see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.bbs import HEADER, ISSUER, MESSAGES
from wallet.crypto.bbs.linked_nym import (
    ANSWER_BYTES,
    LinkAnswer,
    LinkedPseudonymInvalid,
    LinkOpening,
    derive_linked_proof,
    link_answer,
    parse_link_answer,
    verify_link,
)
from wallet.crypto.bbs.nym_issuance import (
    NymCredential,
    NymLayout,
    blind_sign_with_nym,
    commit_with_nym,
    new_prover_nym,
    new_signer_nym_entropy,
    verify_commitment,
    verify_finalize_with_nym,
)
from wallet.crypto.bbs.nym_proofs import (
    NymProof,
    NymProofStatement,
    calculate_pseudonym,
    verify_proof_with_nym,
)
from wallet.crypto.bbs.types import (
    BbsLayoutMalformed,
    BbsOctetsMalformed,
    BbsProofInvalid,
    Pseudonym,
    parse_pseudonym,
)
from wallet.crypto.bls12_381.backend import GROUP_ORDER, PointMalformed
from wallet.errors import SeoulWalletError

AGENCY, GROUP, OTHER_GROUP = b"agency:programme:2026", b"register:group:2026", b"register:other"
NONCE = b"a nonce of the agency"
Derived = tuple[NymProof, LinkOpening, bytes]


def issued(nyms: int = 1) -> NymCredential:
    entropy = new_signer_nym_entropy()
    commitment, secrets = commit_with_nym([new_prover_nym() for _ in range(nyms)])
    verified = verify_commitment(commitment, NymLayout(len(MESSAGES), nyms=nyms))
    signature = blind_sign_with_nym(ISSUER, verified, entropy, MESSAGES, header=HEADER)
    return verify_finalize_with_nym(
        ISSUER.public_key, signature, secrets, entropy, MESSAGES, header=HEADER
    )


CREDENTIAL, SOMEBODY_ELSE = issued(), issued()


def derived(credential: NymCredential = CREDENTIAL) -> Derived:
    digests: list[bytes] = []

    def header_for(digest: bytes) -> bytes:
        digests.append(digest)
        return NONCE + digest

    proof, opening = derive_linked_proof(credential, AGENCY, GROUP, (0,), header_for=header_for)
    return proof, opening, digests[0]


def statement(digest: bytes) -> NymProofStatement:
    return NymProofStatement(
        ISSUER.public_key,
        NymLayout(len(MESSAGES)),
        AGENCY,
        ((0, MESSAGES[0]),),
        header=HEADER,
        presentation_header=NONCE + digest,
    )


def test_agency_and_register_each_see_the_pseudonym_of_their_own_context() -> None:
    proof, opening, digest = derived()
    verified = verify_proof_with_nym(proof, statement(digest))
    assert verified.pseudonym == calculate_pseudonym(CREDENTIAL, AGENCY)
    link = verify_link(link_answer(proof.proof), opening, digest, GROUP)
    assert link.pseudonym == calculate_pseudonym(CREDENTIAL, GROUP)
    assert link.pseudonym != verified.pseudonym


def test_what_the_register_learns_is_stable_and_what_the_agency_passes_on_is_not() -> None:
    (first, one, digest), (second, two, other) = derived(), derived()
    assert one.pseudonym == two.pseudonym
    assert digest != other
    assert link_answer(first.proof) != link_answer(second.proof)


def _swapped_pseudonym(opening: LinkOpening) -> LinkOpening:
    return replace(opening, pseudonym=calculate_pseudonym(SOMEBODY_ELSE, GROUP))


def _other_salt(opening: LinkOpening) -> LinkOpening:
    return replace(opening, salt=bytes(32))


@pytest.mark.parametrize("change", [_swapped_pseudonym, _other_salt])
def test_rejects_an_opening_that_is_not_the_committed_one(
    change: Callable[[LinkOpening], LinkOpening],
) -> None:
    proof, opening, digest = derived()
    with pytest.raises(LinkedPseudonymInvalid):
        verify_link(link_answer(proof.proof), change(opening), digest, GROUP)


def test_rejects_the_pseudonym_of_somebody_else_who_commits_to_it_in_time() -> None:
    """The cheat this is for: my own proof, with the group pseudonym of a helper."""
    helper_proof, helper_opening, helper_digest = derived(SOMEBODY_ELSE)
    verify_link(link_answer(helper_proof.proof), helper_opening, helper_digest, GROUP)
    mine, _ = derive_linked_proof(
        CREDENTIAL, AGENCY, GROUP, (0,), header_for=lambda _: NONCE + helper_digest
    )
    verify_proof_with_nym(mine, statement(helper_digest))
    with pytest.raises(LinkedPseudonymInvalid):
        verify_link(link_answer(mine.proof), helper_opening, helper_digest, GROUP)


def test_rejects_the_answer_of_another_proof_and_another_context() -> None:
    proof, opening, digest = derived()
    again, _, _ = derived()
    with pytest.raises(LinkedPseudonymInvalid):
        verify_link(link_answer(again.proof), opening, digest, GROUP)
    with pytest.raises(LinkedPseudonymInvalid):
        verify_link(link_answer(proof.proof), opening, digest, OTHER_GROUP)


def test_no_changed_byte_of_what_the_register_is_told_is_accepted() -> None:
    proof, opening, digest = derived()
    told = (link_answer(proof.proof).octets, opening.pseudonym.octets, opening.salt, digest)
    assert check_told(*told) == opening.pseudonym
    for part, octets in enumerate(told):
        # Of every part the ends, and every seventh byte between them.
        for at in {0, len(octets) - 1, *range(part, len(octets), 7)}:
            changed = octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :]
            with pytest.raises(SeoulWalletError):
                check_told(*told[:part], changed, *told[part + 1 :])


def check_told(answer: bytes, pseudonym: bytes, salt: bytes, digest: bytes) -> Pseudonym:
    """Return what the register makes of the octets that it is told."""
    link = LinkOpening(parse_pseudonym(pseudonym), salt)
    return verify_link(parse_link_answer(answer), link, digest, GROUP).pseudonym


def test_the_agencys_proof_fails_under_a_link_that_it_does_not_cover() -> None:
    proof, _, _ = derived()
    _, _, other = derived()
    with pytest.raises(BbsProofInvalid):
        verify_proof_with_nym(proof, statement(other))


def test_refuses_points_salts_and_answers_of_another_form() -> None:
    proof, opening, digest = derived()
    answer = link_answer(proof.proof)
    assert parse_link_answer(answer.octets) == answer
    identity = Pseudonym(b"\xc0" + bytes(47))
    for point in (identity, Pseudonym(b"\xff" * 48)):
        with pytest.raises(PointMalformed):
            verify_link(answer, replace(opening, pseudonym=point), digest, GROUP)
    with pytest.raises(BbsOctetsMalformed):
        verify_link(answer, replace(opening, salt=b"short"), digest, GROUP)
    for length in (0, ANSWER_BYTES - 1, ANSWER_BYTES + 1):
        with pytest.raises(BbsOctetsMalformed):
            parse_link_answer(bytes(length))


def test_rejects_an_answer_that_makes_the_blinding_vanish() -> None:
    _, opening, digest = derived()
    secret = CREDENTIAL.nym_secrets[0]
    vanishing = LinkAnswer(5, secret * 5 % GROUP_ORDER)
    with pytest.raises(LinkedPseudonymInvalid):
        verify_link(vanishing, opening, digest, GROUP)


def test_refuses_a_credential_of_several_nyms() -> None:
    with pytest.raises(BbsLayoutMalformed):
        derived(issued(nyms=2))
