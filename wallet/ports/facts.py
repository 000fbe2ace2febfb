"""Where verification gets its outside facts."""

from collections.abc import Sequence
from typing import Protocol

from wallet.credentials.issuer_metadata import IssuerMetadata
from wallet.did.did_ethr import EthrHistory
from wallet.did.document import DidDocument
from wallet.did.syntax import Did
from wallet.errors import UnavailableError
from wallet.trust.boards import BoardState, CheckpointFact
from wallet.trust.directory import DirectoryEntry
from wallet.trust.facts import AnchorFacts
from wallet.trust.verifiers import RegisteredService
from wallet.verification.evidence import Fact


class DidUnresolvable(UnavailableError):
    """The DID's document could not be fetched and no copy is at hand."""

    code = "did_unresolvable"


class IssuerMetadataUnavailable(UnavailableError):
    """The issuer's metadata could not be fetched and no copy is at hand."""

    code = "issuer_metadata_unavailable"


class TypeMetadataUnavailable(UnavailableError):
    """The metadata of a credential type could not be fetched and no copy is at hand."""

    code = "type_metadata_unavailable"


class BatchManifestUnavailable(UnavailableError):
    """The manifest of a batch could not be fetched and no copy is at hand."""

    code = "batch_manifest_unavailable"


class StatusListUnavailable(UnavailableError):
    """The status list could not be fetched and no copy is at hand."""

    code = "status_list_unavailable"


class ReplicaEmpty(UnavailableError):
    """The replica has not followed the chain yet."""

    code = "replica_empty"


class ReplicaDiverged(UnavailableError):
    """The chain no longer has a block that was final: a person must look; nothing is repaired."""

    code = "replica_diverged"


class BoardUnknown(UnavailableError):
    """No such ballot board is among the finalized facts at hand: not yet, or never opened."""

    code = "board_unknown"


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


class IssuerMetadataSource(Protocol):
    """Finds the keys of issuers that are https URLs (SD-JWT VC §5)."""

    def resolve(self, issuer: str) -> Fact[IssuerMetadata]:
        """Return the issuer's keys and when they were fetched.

        A copy at hand may be returned with its own time. Raises `IssuerMetadataUnavailable`,
        `IssuerMetadataMalformed`.
        """


class TypeMetadataSource(Protocol):
    """Fetches type metadata documents (SD-JWT VC §6)."""

    def fetch(self, url: str) -> Fact[bytes]:
        """Return the document as it was served, unverified, and when it was fetched.

        Raises `TypeMetadataUnavailable`.
        """


class StatusListSource(Protocol):
    """Fetches Status List Tokens, as JWT or CWT, and the credentials of Bitstring lists."""

    def fetch(self, uri: str) -> Fact[bytes]:
        """Return the unverified token and when it was fetched.

        Raises `StatusListUnavailable`.
        """


class ManifestSource(Protocol):
    """Fetches the signed manifests of anchored batches."""

    def fetch(self, issuer: str, root: bytes) -> Fact[bytes]:
        """Return the unverified manifest of the issuer's batch `root`, and when it was fetched.

        Raises `BatchManifestUnavailable`, `UnsupportedDidMethod`, `DidMalformed`.
        """


class CredentialSource(Protocol):
    """Fetches the credentials that carry Bitstring Status Lists."""

    def fetch_credential(self, uri: str) -> bytes:
        """Return the unverified JSON of the credential at `uri`, as it is now.

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


class DidHistories(Protocol):
    """The changes of did:ethr identifiers, as of the last followed finalized block."""

    def did_history(self, did: Did) -> Fact[EthrHistory]:
        """Return every change of a did:ethr so far; one that was never changed has none.

        Raises `DidMalformed`, `DidNetworkUnknown`, `DidHistoryTooLong`, `ReplicaEmpty`,
        `ReplicaDiverged`.
        """


class VerifierRegistry(Protocol):
    """Tells what verifiers are registered to ask, as the chain has it."""

    def verifier_services(self, verifier_id: bytes) -> Fact[Sequence[RegisteredService]]:
        """Return every service scope a verifier ever had, and the time of the facts.

        Raises `ReplicaEmpty`, `ReplicaDiverged`, `StorageUnavailable`.
        """


class BoardRegistry(Protocol):
    """Tells which ballot boards were opened, as the chain has it."""

    def board(self, board_id: bytes) -> Fact[BoardState]:
        """Return a ballot board as it is.

        Raises `BoardUnknown`, `ReplicaEmpty`, `ReplicaDiverged`, `StorageUnavailable`.
        """


class ContractRecords(DidHistories, VerifierRegistry, BoardRegistry, Protocol):
    """The further finalized facts of the contracts. Never asks the chain.

    Facts have the time of the replica, as those of `AnchorReplica` do; every method raises
    `ReplicaEmpty` and `ReplicaDiverged`.
    """

    def checkpoints(self, board_id: bytes, first: int) -> Fact[Sequence[CheckpointFact]]:
        """Return a board's checkpoints from number `first` on, a limited number at a time."""

    def directory(self) -> Fact[Sequence[DirectoryEntry]]:
        """Return every version of every contract that was ever listed."""
