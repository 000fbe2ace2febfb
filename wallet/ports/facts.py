"""Where verification gets its outside facts."""

from typing import Protocol

from wallet.did.document import DidDocument
from wallet.did.syntax import Did
from wallet.errors import UnavailableError
from wallet.trust.facts import AnchorFacts
from wallet.verification.evidence import Fact


class DidUnresolvable(UnavailableError):
    """The DID's document could not be fetched and no copy is at hand."""

    code = "did_unresolvable"


class StatusListUnavailable(UnavailableError):
    """The status list could not be fetched and no copy is at hand."""

    code = "status_list_unavailable"


class ReplicaEmpty(UnavailableError):
    """The replica has not followed the chain yet."""

    code = "replica_empty"


class ReplicaDiverged(UnavailableError):
    """The chain no longer has a block that was final: a person must look; nothing is repaired."""

    code = "replica_diverged"


class ChainUnavailable(UnavailableError):
    """The chain's node does not answer, or not sensibly."""

    code = "chain_unavailable"


class DidResolver(Protocol):
    """Resolves DIDs to documents."""

    def resolve(self, did: Did) -> Fact[DidDocument]:
        """Return the document and when it was fetched.

        A copy at hand may be returned with its own time. Raises `DidUnresolvable`,
        `UnsupportedDidMethod`, `DidMalformed`, `KeyMalformed`.
        """


class StatusListSource(Protocol):
    """Fetches Status List Tokens."""

    def fetch(self, uri: str) -> Fact[bytes]:
        """Return the unverified token and when it was fetched.

        Raises `StatusListUnavailable`.
        """


class AnchorReplica(Protocol):
    """The local copy of the finalized facts of the anchor contracts. Never asks the chain."""

    def anchor_facts(
        self,
        issuer_id: bytes,
        schema_id: bytes,
        batch_root: bytes | None,
        status_list_id: bytes | None,
    ) -> Fact[AnchorFacts]:
        """Return what is known for one credential, as of the last followed finalized block.

        Identifiers have 32 bytes. The fact's time is the earlier of that block's header time and
        the moment it was read. Raises `ReplicaEmpty`, and `ReplicaDiverged` from the moment that a
        final block was replaced until an operator starts the replica anew.
        """
