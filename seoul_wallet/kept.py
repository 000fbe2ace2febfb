"""What a demonstration leaves in a folder, and its chain started again for an audit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seoul_wallet.anvil import AnvilNode
from seoul_wallet.stack import LocalStack
from wallet.adapters.evm.deployment import Deployment, parse_deployment
from wallet.did.document import DidDocument, parse_did_document
from wallet.did.syntax import parse_did
from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import MalformedError

CHAIN_STATE: Final = "chain.json"
DEPLOYMENT: Final = "deployment.json"
ISSUER_DOCUMENT: Final = "issuer-did.json"
ISSUER_DATABASE: Final = "issuer.db"
REPLICAS: Final = ("issuer-replica.db", "verifier-replica.db")
_BLOCKS_TO_FINALITY: Final = 2


class KeptFolderIncomplete(MalformedError):
    """The folder is not one that `demo --keep` left."""

    code = "kept_folder_incomplete"


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder that holds databases, the chain's state and what names its parts."""

    folder: Path
    deployment: Deployment
    issuer: DidDocument

    def start_chain(self) -> AnvilNode:
        """Start a node over a copy of the kept state, with its last block final.

        Nothing is written to the folder. Raises `AnvilMissing`, `AnvilFailed`.
        """
        node = AnvilNode(load_state=self.folder / CHAIN_STATE)
        node.request("anvil_mine", [hex(_BLOCKS_TO_FINALITY)])
        return node


def keep(folder: Path, stack: LocalStack) -> None:
    """Write beside a stack's databases and deployment what an audit of them needs to know."""
    document = stack.issuer.service.identity.did_document()
    (folder / ISSUER_DOCUMENT).write_bytes(to_json(document))


def read_kept(folder: Path) -> Kept:
    """Return what a folder holds. Raises `KeptFolderIncomplete`, `DeploymentMismatch`."""
    for name in (CHAIN_STATE, DEPLOYMENT, ISSUER_DOCUMENT, ISSUER_DATABASE, *REPLICAS):
        if not (folder / name).is_file():
            raise KeptFolderIncomplete(f"{name} is missing: was it made by demo --keep?")
    deployment = parse_deployment(parse_json_object((folder / DEPLOYMENT).read_bytes()))
    document = parse_json_object((folder / ISSUER_DOCUMENT).read_bytes())
    issuer = parse_did_document(document, parse_did(str(document.get("id"))))
    return Kept(folder, deployment, issuer)
