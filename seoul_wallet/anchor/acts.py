"""Accrediting, revoking and suspending: one transaction each, on the chain when they return."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from web3 import Web3

from seoul_wallet.anchor.options import (
    ADDRESS,
    DIGEST,
    MOMENT,
    ChainOptions,
    chain_options,
    key_option,
    operator,
    require_urls,
)
from wallet.adapters.evm.authority import (
    Accreditor,
    CallSender,
    ContractDirectory,
    Controller,
    Registrar,
    RootAuthority,
    Suspender,
)
from wallet.adapters.evm.deployment import Deployment
from wallet.adapters.evm.fees import GWEI
from wallet.crypto.hashing import sha256
from wallet.encoding.json import parse_json, to_json
from wallet.ports.outbox import Inclusion
from wallet.protocols.registration import Registration, claims_digest, parse_registration
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.trust.verifiers import verifier_id

ROLES: Final = ("suspender", "registrar")
F = TypeVar("F", bound=Callable[..., Any])


class CallPrinted(Exception):
    """Ends an act of `--print-call` after its call was printed."""


class CallPrinter:
    """Prints a call instead of sending it: for a multisignature or timelock contract."""

    def send(self, call: Any) -> Any:
        """Print target and data as JSON. Raises `CallPrinted`, always."""
        data = call._encode_transaction_data()
        click.echo(to_json({"to": call.address, "value": "0", "data": data}).decode())
        raise CallPrinted


class Acting:
    """The contracts, and the key of whoever acts."""

    def __init__(self, w3: Web3, deployment: Deployment, key: CallSender) -> None:
        self.deployment = deployment
        self.root = RootAuthority(w3, deployment, key)
        self.accreditor = Accreditor(w3, deployment, key)
        self.suspender = Suspender(w3, deployment, key)
        self.registrar = Registrar(w3, deployment, key)
        self.controller = Controller(w3, deployment, key)
        self.directory = ContractDirectory(w3, deployment, key)


def act(command: Callable[..., Inclusion]) -> Callable[..., Any]:
    """Give a command the options of an act; it returns where its transaction was included."""

    @chain_options
    @key_option
    @click.option(
        "--print-call",
        is_flag=True,
        help="Send nothing: print the call, for a multisignature or timelock contract.",
    )
    @wraps(command)
    def wrapped(
        chain: ChainOptions, *args: Any, key_file: Path | None, print_call: bool, **kwargs: Any
    ) -> None:
        require_urls(chain)
        deployment = chain.deployment()
        nodes = chain.nodes()
        try:
            # Whether the directory lists them is no reason not to act on them.
            nodes.check(deployment, listing=False)
        finally:
            nodes.close()
        w3 = chain.w3()
        key: CallSender = CallPrinter() if print_call else operator(w3, key_file)
        try:
            done = command(Acting(w3, deployment, key), *args, **kwargs)
        except CallPrinted:
            return
        click.echo(
            f"in block {done.block_number}, {done.gas_used:,} gas,"
            f" {done.fee_paid_wei / GWEI:,.0f} gwei, transaction 0x{done.transaction_hash.hex()}"
        )

    return wrapped


_schema = click.option(
    "--type",
    "credential_type",
    required=True,
    metavar="VCT",
    help="The credential type, as in `vct`.",
)
_until = click.option(
    "--until", type=MOMENT, required=True, help="Not valid from then on: day in Seoul or time."
)
_since = click.option(
    "--from", "valid_from", type=MOMENT, default=0, help="Valid from then on; now unless given."
)
_effective = click.option(
    "--effective",
    type=MOMENT,
    default=0,
    help="Without effect from then on, which may be in the past; now unless given.",
)
_did = click.option("--did", required=True, help="The DID, as in `iss`.")


@click.group()
def accredit() -> None:
    """Give a right: to accredit, to issue, to ask, to suspend, to register.

    Rights are periods that are never rewritten: to give one again adds a period.
    """


@accredit.command("accreditor")
@click.argument("address", type=ADDRESS)
@_schema
@_since
@_until
@act
def accredit_accreditor(
    acting: Acting, address: str, credential_type: str, valid_from: int, until: int
) -> Inclusion:
    """Let ADDRESS accredit issuers of a credential type. Root signs."""
    return acting.root.accredit_accreditor(address, schema_id(credential_type), until, valid_from)


@accredit.command("issuer")
@_did
@click.option(
    "--controller", type=ADDRESS, required=True, help="The address that anchors for the issuer."
)
@_schema
@_since
@_until
@act
def accredit_issuer(
    acting: Acting, did: str, controller: str, credential_type: str, valid_from: int, until: int
) -> Inclusion:
    """Let an issuer issue a credential type. Its accreditor signs."""
    schema = schema_id(credential_type)
    return acting.accreditor.accredit_issuer(issuer_id(did), controller, schema, until, valid_from)


_purpose = click.option("--purpose", required=True, help="The purpose as it is shown to holders.")
_claims = click.option(
    "--claims",
    required=True,
    metavar="JSON",
    help='What it may ask for, as DCQL claim paths: \'[["child_count"], ["valid_until"]]\'.',
)


@accredit.command("verifier")
@_did
@_schema
@_purpose
@_claims
@_since
@_until
@act
def accredit_verifier(
    acting: Acting,
    did: str,
    credential_type: str,
    purpose: str,
    claims: str,
    valid_from: int,
    until: int,
) -> Inclusion:
    """Let a verifier ask for claims of a credential type. A registrar signs."""
    service = _registration(credential_type, purpose, claims)
    return acting.registrar.register_verifier(
        verifier_id(did),
        schema_id(service.credential_type),
        sha256(service.purpose.encode()),
        claims_digest(service.claims),
        until,
        valid_from,
    )


def _registration(credential_type: str, purpose: str, claims: str) -> Registration:
    paths = parse_json(claims.encode())
    return parse_registration(
        {"credential_type": credential_type, "purpose": purpose, "claims": paths}
    )


def _role_commands(group: click.Group, name: str, verb: str) -> None:
    @group.command(name, help=f"{verb} ADDRESS the role of a {name}. Root signs.")
    @click.argument("address", type=ADDRESS)
    @act
    def change_role(acting: Acting, address: str) -> Inclusion:
        root = acting.root
        changes = {
            ("Give", "suspender"): root.appoint_suspender,
            ("Give", "registrar"): root.appoint_registrar,
            ("Take from", "suspender"): root.dismiss_suspender,
            ("Take from", "registrar"): root.dismiss_registrar,
        }
        return changes[verb, name](address)


@click.group()
def revoke() -> None:
    """Take a right away, or withdraw a whole batch of credentials.

    A revocation may reach back in time and can only be moved to an earlier time.
    """


@revoke.command("accreditor")
@click.argument("address", type=ADDRESS)
@_schema
@_effective
@act
def revoke_accreditor(
    acting: Acting, address: str, credential_type: str, effective: int
) -> Inclusion:
    """End the newest mandate of an accreditor. Root signs."""
    return acting.root.revoke_accreditor(address, schema_id(credential_type), effective)


@revoke.command("issuer")
@_did
@_schema
@_effective
@act
def revoke_issuer(acting: Acting, did: str, credential_type: str, effective: int) -> Inclusion:
    """End the newest accreditation of an issuer. Its accreditor or root signs."""
    schema = schema_id(credential_type)
    return acting.accreditor.revoke_issuer(issuer_id(did), schema, effective)


@revoke.command("verifier")
@_did
@_schema
@_purpose
@_claims
@_effective
@act
def revoke_verifier(
    acting: Acting, did: str, credential_type: str, purpose: str, claims: str, effective: int
) -> Inclusion:
    """End what a verifier may ask for. A registrar or root signs."""
    service = _registration(credential_type, purpose, claims).service_id
    return acting.registrar.revoke_verifier(verifier_id(did), service, effective)


@revoke.command("batch")
@_did
@click.option("--root", type=DIGEST, required=True, help="The batch's Merkle root.")
@act
def revoke_batch(acting: Acting, did: str, root: bytes) -> Inclusion:
    """Withdraw every credential of a batch, for good: the emergency brake.

    The accreditor that it was anchored under signs, root, or the issuer's controller. A running
    issuer withdraws its own batches (its operators' interface): sign with the controller's key
    only while it does not run, because two writers of one key take each other's turns.
    """
    return acting.controller.revoke_batch(issuer_id(did), root)


for _name in ROLES:
    _role_commands(accredit, _name, "Give")
    _role_commands(revoke, _name, "Take from")


@click.command()
@click.argument("did")
@click.option("--lift", is_flag=True, help="End the suspension; root signs.")
@act
def suspend(acting: Acting, did: str, lift: bool) -> Inclusion:
    """Stop the issuer DID at once: it can anchor nothing until root lifts it.

    A suspender signs. What was anchored before stays valid; revoking stays possible.
    """
    if lift:
        return acting.root.unsuspend_issuer(issuer_id(did))
    return acting.suspender.suspend_issuer(issuer_id(did))


@click.command()
@click.argument("did")
@click.argument("address", type=ADDRESS)
@act
def controller(acting: Acting, did: str, address: str) -> Inclusion:
    """Let ADDRESS act for the issuer DID from now on. The present controller or root signs."""
    return acting.controller.change_controller(issuer_id(did), address)
