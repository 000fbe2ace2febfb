"""The voting credentials among a wallet's cards, ready to make eligibility proofs from."""

from __future__ import annotations

from wallet.credentials.formats import BBS_NYM_FORMAT
from wallet.credentials.voting import VOTING_CREDENTIAL_TYPE
from wallet.crypto.bbs.nym_issuance import NymCredential
from wallet.encoding.json import parse_json_object
from wallet.holder.cards import HeldCredentials
from wallet.holder.nyms import Nyms
from wallet.protocols.oid4vci.nym_proof import parse_nym_credential


def voting_credentials(held: HeldCredentials, nyms: Nyms) -> tuple[NymCredential, ...]:
    """Return them, the one received last first. Asks nobody. Raises `StoreDamaged`."""
    found = []
    for card in reversed(held.all()):
        if card.format == BBS_NYM_FORMAT:
            message = parse_nym_credential(parse_json_object(card.credential.encode()))
            if message.vct == VOTING_CREDENTIAL_TYPE:
                found.append(nyms.finalize(card.key_handle, card.credential_issuer, message))
    return tuple(found)
