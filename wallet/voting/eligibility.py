"""Who may vote: a BBS credential with a registered nym secret, shown without a name.

docs/voting.md, section 5. The credential's pseudonym in the election is the nullifier; the proof
is bound to one ballot by its presentation header, and the ballot to the nullifier by its context.
"""

from __future__ import annotations

from collections.abc import Sequence

from wallet.credentials.voting import HEADER, LAYOUT, OVER_14
from wallet.crypto.bbs.batch import MAX_BATCH, NymProofClaim, check_proofs
from wallet.crypto.bbs.nym_issuance import NymCredential
from wallet.crypto.bbs.nym_proofs import (
    NymProof,
    NymProofStatement,
    VerifiedNymProof,
    calculate_pseudonym,
    derive_proof_with_nym,
)
from wallet.crypto.bbs.types import BbsProof, parse_proof, parse_pseudonym
from wallet.crypto.transcript import digest
from wallet.errors import MalformedError, RejectedError
from wallet.voting.ballot import Ballot, BallotHeader
from wallet.voting.election import Election
from wallet.voting.manifest import Manifest

_EPOCH, _DISTRICT, _STRATUM, _AGE = range(4)


class EligibilityProofMalformed(MalformedError):
    """The eligibility proof has another length than the manifest gives it."""

    code = "eligibility_proof_malformed"


class EligibilityProofInvalid(RejectedError):
    """The eligibility proof does not hold for this ballot and this election."""

    code = "eligibility_proof_invalid"


class BallotNotEligible(RejectedError):
    """The ballot's stratum, district or issuer is none of the manifest's."""

    code = "ballot_not_eligible"


class CredentialNotEligible(RejectedError):
    """The voting credential is of another issuer, epoch, district, stratum or age."""

    code = "credential_not_eligible"


def nullifier_context(election: Election) -> bytes:
    """The context_id of the pseudonyms that are this election's nullifiers."""
    return digest("nullifier", election.digest)


def ballot_header(credential: NymCredential, election: Election, sequence: int) -> BallotHeader:
    """The header of a ballot of this credential. Raises `CredentialNotEligible`.

    Only what the manifest asks for is taken from the credential.
    """
    manifest = election.manifest
    shown = dict(enumerate(credential.messages))
    stratum = _value(shown.get(_STRATUM, b""), "stratum:")
    district = ""
    if manifest.eligibility.districts is not None:
        district = _value(shown.get(_DISTRICT, b""), "district:")
    nullifier = calculate_pseudonym(credential, nullifier_context(election)).octets
    header = BallotHeader(nullifier, sequence, stratum, district)
    try:
        check_eligible(header, issuer_index(credential, manifest), manifest)
    except BallotNotEligible as error:
        raise CredentialNotEligible("the credential does not admit to this election") from error
    disclosed = _disclosed(header, manifest)
    if (credential.layout, credential.header) != (LAYOUT, HEADER):
        raise CredentialNotEligible("the credential is no voting credential")
    if any(shown[position] != message for position, message in disclosed):
        raise CredentialNotEligible("the credential is of another epoch or age")
    return header


def issuer_index(credential: NymCredential, manifest: Manifest) -> int:
    """Which of the manifest's keys signed the credential. Raises `CredentialNotEligible`."""
    try:
        return manifest.eligibility.issuer_keys.index(credential.public_key)
    except ValueError:
        raise CredentialNotEligible("the issuer is none of this election's") from None


def prove_eligibility(
    credential: NymCredential, election: Election, header: BallotHeader, ballot_digest: bytes
) -> bytes:
    """Return the eligibility proof for one finished ballot; another one each time."""
    disclosed = _disclosed(header, election.manifest)
    proof = derive_proof_with_nym(
        credential,
        nullifier_context(election),
        [position for position, _ in disclosed],
        presentation_header=header.presentation_header(election, ballot_digest),
    )
    return proof.proof.octets


def check_eligible(header: BallotHeader, issuer: int, manifest: Manifest) -> None:
    """Return if the values of a ballot are the manifest's. Raises `BallotNotEligible`.

    Whether they are the voter's is what the proof shows.
    """
    strata = {member for stratum in manifest.ballot_strata for member in stratum.members}
    if header.stratum not in strata:
        raise BallotNotEligible("the stratum does not vote in this election")
    districts = manifest.eligibility.districts
    if header.district not in (districts if districts is not None else ("",)):
        raise BallotNotEligible("the district does not vote in this election")
    if issuer >= len(manifest.eligibility.issuer_keys):
        raise BallotNotEligible("the issuer is none of this election's")


def check_eligibility(
    ballots: Sequence[Ballot], election: Election
) -> tuple[EligibilityProofInvalid | None, ...]:
    """Return for each ballot None, or why its eligibility proof does not hold.

    Values must have passed `check_eligible`. Proofs are checked in batches, bad ones are found by
    halving.
    """
    outcomes: list[EligibilityProofInvalid | None] = [None] * len(ballots)
    claims: list[tuple[int, NymProofClaim]] = []
    for number, ballot in enumerate(ballots):
        try:
            claims.append((number, _claim(ballot, election)))
        except MalformedError as error:
            outcomes[number] = EligibilityProofInvalid(f"the proof does not decode: {error}")
    for start in range(0, len(claims), MAX_BATCH):
        part = claims[start : start + MAX_BATCH]
        checked = check_proofs([claim for _, claim in part])
        for (number, _), outcome in zip(part, checked, strict=True):
            if not isinstance(outcome, VerifiedNymProof):
                outcomes[number] = EligibilityProofInvalid("the eligibility proof does not hold")
    return tuple(outcomes)


def _claim(ballot: Ballot, election: Election) -> NymProofClaim:
    manifest, header = election.manifest, ballot.header
    disclosed = _disclosed(header, manifest)
    proof = _proof(
        ballot.eligibility_proof, hidden=LAYOUT.messages + LAYOUT.blind - len(disclosed)
    )
    statement = NymProofStatement(
        manifest.eligibility.issuer_keys[ballot.issuer],
        LAYOUT,
        nullifier_context(election),
        disclosed,
        header=HEADER,
        presentation_header=header.presentation_header(election, ballot.digest(election)),
    )
    return NymProofClaim(NymProof(proof, parse_pseudonym(header.nullifier)), statement)


def _proof(data: bytes, *, hidden: int) -> BbsProof:
    proof = parse_proof(data)
    if len(proof.m_hats) != hidden:
        raise EligibilityProofMalformed("the proof hides another number of messages")
    return proof


def _disclosed(header: BallotHeader, manifest: Manifest) -> tuple[tuple[int, bytes], ...]:
    """What the proof shows: never more than the rule needs."""
    shown = [(_EPOCH, f"epoch:{manifest.eligibility.epoch}".encode())]
    if manifest.eligibility.districts is not None:
        shown.append((_DISTRICT, f"district:{header.district}".encode()))
    shown.append((_STRATUM, f"stratum:{header.stratum}".encode()))
    if manifest.eligibility.min_age is not None:
        shown.append((_AGE, OVER_14))
    return tuple(shown)


def _value(message: bytes, name: str) -> str:
    text = message.decode("utf-8", errors="replace")
    if not text.startswith(name):
        raise CredentialNotEligible("the credential is no voting credential")
    return text.removeprefix(name)
