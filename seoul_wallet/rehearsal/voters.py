"""Synthetic voters: chunks of them, as workers cast them over HTTP.

Most make their ballots with the voting core under a key of the rehearsal's own, named in the
manifest beside the issuer's; some are whole wallets that take their credential from the issuer.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.holder import HttpHolderTransport
from wallet.app import open_wallet
from wallet.credentials.voting import HEADER, LAYOUT, voting_messages
from wallet.crypto.bbs.nym_issuance import (
    NymCredential,
    blind_sign_with_nym,
    commit_with_nym,
    new_prover_nym,
    new_signer_nym_entropy,
    verify_commitment,
    verify_finalize_with_nym,
)
from wallet.crypto.bbs.types import BbsSecretKey
from wallet.holder.ballot_box import BallotBoxClient, BallotNotAccepted
from wallet.holder.wallet import Wallet
from wallet.voting.acceptance import ElectionNotOpen
from wallet.voting.casting import prepare_ballot
from wallet.voting.election import Election

DEADLINE_S: Final = 60.0
DISTRICT: Final = "11590"


@dataclass(frozen=True, slots=True)
class CoreVoters:
    """Voters by the core: the election, who signs for them, their votes."""

    election: Election
    box_url: str
    issuer: BbsSecretKey = field(repr=False)
    stratum: str
    choices: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class WalletVoters:
    """Voters with wallets: for each an offer of a voting credential, and a vote by project."""

    box_url: str
    manifest_digest: bytes
    votes: tuple[tuple[str, dict[str, int]], ...]


@dataclass(frozen=True, slots=True)
class Cast:
    """What a chunk of `voters` came to: the first `ballots` of them were taken, the others came
    after the close. Seconds of this process's processor, in and outside of making the ballots;
    `codes` are tracking codes, of wallets only."""

    voters: int
    ballots: int
    made_s: float
    spent_s: float
    codes: tuple[str, ...] = ()


def cast_by_core(chunk: CoreVoters) -> Cast:
    """Make and send ballots until the close. Raises what the ballot box's client raises."""
    http = GuardedClient(allow_loopback_http=True, deadline_s=DEADLINE_S)
    box = BallotBoxClient(chunk.box_url, HttpHolderTransport(http))
    began, made_s, taken = time.process_time(), 0.0, 0
    try:
        for choices in chunk.choices:
            credential = synthetic_credential(chunk)
            at = time.process_time()
            ballot = prepare_ballot(chunk.election, credential, choices, sequence=1)
            octets = ballot.cast(credential).octets
            made_s += time.process_time() - at
            box.send(chunk.election, octets)
            taken += 1
    except BallotNotAccepted as error:
        _check_is_late(error)
    finally:
        http.close()
    return Cast(len(chunk.choices), taken, made_s, time.process_time() - began)


def cast_by_wallets(chunk: WalletVoters) -> Cast:
    """Open a new wallet for each voter, take the credential, and vote.

    Until the close. Raises what the wallet raises.
    """
    began, codes = time.process_time(), []
    with tempfile.TemporaryDirectory(prefix="seoul-wallet-voters-") as folder:
        for number, (link, choices) in enumerate(chunk.votes):
            path = Path(folder) / f"{number}.db"
            with open_wallet(
                path, secrets.token_urlsafe(16), create=True, development=True
            ) as wallet:
                wallet.receive(link)
                try:
                    codes.append(_vote(wallet, chunk, choices))
                except ElectionNotOpen:
                    break
                except BallotNotAccepted as error:
                    _check_is_late(error)
                    break
    spent_s = time.process_time() - began
    return Cast(len(chunk.votes), len(codes), 0.0, spent_s, tuple(codes))


def _check_is_late(error: BallotNotAccepted) -> None:
    """Return if the ballot came after the close; raise any other refusal."""
    if error.reason != ElectionNotOpen.code:
        raise error


def _vote(wallet: Wallet, chunk: WalletVoters, choices: dict[str, int]) -> str:
    voting = wallet.voting
    vote = voting.look(chunk.box_url, manifest_digest=chunk.manifest_digest)
    return voting.cast(voting.prepare(vote, choices)).tracking_code


def synthetic_credential(chunk: CoreVoters) -> NymCredential:
    """Issue a voting credential to a voter who is nobody."""
    issuer, entropy = chunk.issuer, new_signer_nym_entropy()
    messages = voting_messages(
        epoch=chunk.election.manifest.eligibility.epoch,
        district=DISTRICT,
        stratum=chunk.stratum,
        is_over_14=True,
    )
    commitment, own = commit_with_nym([new_prover_nym()])
    verified = verify_commitment(commitment, LAYOUT)
    signature = blind_sign_with_nym(issuer, verified, entropy, messages, header=HEADER)
    return verify_finalize_with_nym(
        issuer.public_key, signature, own, entropy, messages, header=HEADER
    )
