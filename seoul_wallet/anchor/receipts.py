"""The command `anchor verify-receipt`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from seoul_wallet.anchor.options import (
    DIGEST,
    ChainOptions,
    chain_options,
)
from seoul_wallet.anchor.replicas import follow_once, open_replica
from seoul_wallet.files import read_file
from wallet.adapters.sql.replica import SqlReplica
from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.crypto.hashing import sha256
from wallet.crypto.merkle import InclusionProofInvalid, leaf_hash, root_from_path
from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import MalformedError
from wallet.trust.facts import AnchorFacts, IssuerNotAccredited
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.trust.receipt import AnchorReceipt, parse_receipt
from wallet.verification.trust_steps import AnchorNotFinal, BatchRevoked


class CredentialUnnamed(MalformedError):
    """Neither a credential nor digest, issuer and type say what the receipt is for."""

    code = "credential_unnamed"


@click.command("verify-receipt")
@click.option(
    "--receipt",
    "receipt_file",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The receipt with its salt, as JSON.",
)
@click.option(
    "--credential",
    "credential_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The credential, an SD-JWT VC.",
)
@click.option("--digest", type=DIGEST, help="Of another format: SHA-256 of the signed input.")
@click.option("--issuer", metavar="DID", help="With --digest: who issued it.")
@click.option("--type", "credential_type", metavar="VCT", help="With --digest: its type.")
@click.option(
    "--replica",
    metavar="URL",
    help="Ask this replica (database URL or SQLite file); else the chain is read and proven.",
)
@chain_options
def verify_receipt(
    chain: ChainOptions,
    receipt_file: Path,
    credential_file: Path | None,
    digest: bytes | None,
    issuer: str | None,
    credential_type: str | None,
    replica: str | None,
) -> None:
    """Check that a credential is in a batch that its issuer anchored while accredited.

    Says when that was. Does not check the credential's own signature, dates or status: see
    `seoul-wallet verify`. Exit code 3: the receipt leads nowhere, the batch was withdrawn or the
    issuer was not accredited; 5: the batch is not among the finalized facts.
    """
    if credential_file is not None:
        jws = parse_sd_jwt(read_file(credential_file).decode("utf-8", "replace").strip()).jws
        claims = jws.peek_claims()
        digest, issuer = sha256(jws.signing_input), str(claims.get("iss"))
        credential_type = str(claims.get("vct"))
    if digest is None or issuer is None or credential_type is None:
        raise CredentialUnnamed("give --credential, or --digest with --issuer and --type")
    receipt = parse_receipt(parse_json_object(read_file(receipt_file)))
    leaf = leaf_hash(receipt.salt + digest)
    root = root_from_path(leaf, receipt.index, receipt.size, receipt.path)
    with ExitStack() as open_things:
        if replica is None:
            folder = open_things.enter_context(TemporaryDirectory())
            place = str(Path(folder) / "replica.db")
            engine = open_things.enter_context(open_replica(place, must_exist=False))
            follow_once(chain, engine)
        else:
            engine = open_things.enter_context(open_replica(replica))
        store = SqlReplica(engine)
        fact = store.anchor_facts(issuer_id(issuer), schema_id(credential_type), root, None)
    anchored_at = _anchored_at(fact.value, receipt, schema_id(credential_type))
    click.echo(
        to_json(
            {
                "root": "0x" + root.hex(),
                "index": receipt.index,
                "size": receipt.size,
                "anchored_at": anchored_at,
                "accredited_then": True,
                "as_of_block": fact.value.head.number,
                "facts_as_of": fact.as_of,
            }
        ).decode()
    )


def _anchored_at(facts: AnchorFacts, receipt: AnchorReceipt, schema: bytes) -> int:
    batch = facts.batch
    if batch is None:
        raise AnchorNotFinal("the batch is not among the finalized facts of this issuer")
    if batch.size != receipt.size:
        raise InclusionProofInvalid("the batch has another size than the receipt says")
    if batch.schema_id != schema:
        raise InclusionProofInvalid("the batch is of another credential type")
    if batch.revoked_at is not None:
        raise BatchRevoked(f"the batch was withdrawn at {batch.revoked_at}")
    if not facts.accredited(batch.anchored_at):
        raise IssuerNotAccredited("the issuer was not accredited when it anchored the batch")
    return batch.anchored_at
