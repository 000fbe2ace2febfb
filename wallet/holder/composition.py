"""What a wallet is put together from: the parts that take cards, and those that show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wallet.holder.authorize import Authorizer
from wallet.holder.card_index import CardIndex
from wallet.holder.cards import HeldCredentials
from wallet.holder.client_identity import ClientIdentity
from wallet.holder.copies import Copies
from wallet.holder.counted import Counted
from wallet.holder.decisions import DecisionReceipts
from wallet.holder.issuers import IssuerPolicy, IssuerReader
from wallet.holder.linking import Linking
from wallet.holder.log import PresentationLog
from wallet.holder.nyms import Nyms
from wallet.holder.phrase_replacement import PhraseReplacement
from wallet.holder.pictures import Pictures
from wallet.holder.placing import Placing
from wallet.holder.present import Presenter
from wallet.holder.receive import Receiver
from wallet.holder.recovery import Recovery
from wallet.holder.registering import Registrar
from wallet.holder.reissue import Reissuer
from wallet.holder.renewals import Renewals
from wallet.holder.requesting import Requester
from wallet.holder.requests import RequestReader, VerifierPolicy
from wallet.ports.clock import Clock
from wallet.ports.facts import DidResolver, VerifierRegistry
from wallet.ports.holder import HolderTransport, KeyStore, RecordStore
from wallet.protocols.oid4vp import VerifiedRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderPorts:
    """What a wallet needs from outside, and who it is to issuers."""

    records: RecordStore
    keys: KeyStore
    transport: HolderTransport
    dids: DidResolver
    clock: Clock
    client: ClientIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What takes cards, renews them, and has them issued anew."""

    issuers: IssuerReader
    copies: Copies
    pictures: Pictures
    recovery: Recovery
    registrar: Registrar
    receiver: Receiver
    authorizer: Authorizer
    renewals: Renewals
    devices: Reissuer
    replacing: PhraseReplacement


def taking(ports: HolderPorts, policy: IssuerPolicy, held: HeldCredentials, nyms: Nyms) -> Taking:
    """Return the parts that take cards."""
    records, keys, client = ports.records, ports.keys, ports.client
    recovery = Recovery(records)
    registrar = Registrar(records, recovery, ports.clock)
    issuers = IssuerReader(ports.transport, ports.dids, ports.clock, policy)
    requester = Requester(keys, nyms, ports.dids, ports.clock, policy, registrar)
    copies = Copies(records, keys, held)
    pictures = Pictures(records, ports.transport, held, issuers.inspect)
    receiver = Receiver(
        records=records, keys=keys, transport=ports.transport, requester=requester,
        clock=ports.clock, issuers=issuers, client=client, registrar=registrar,
        placing=Placing(records, held, copies), pictures=pictures,
    )  # fmt: skip
    devices = Reissuer(receiver=receiver, held=held, registrar=registrar)
    return Taking(
        issuers=issuers,
        copies=copies,
        pictures=pictures,
        recovery=recovery,
        registrar=registrar,
        receiver=receiver,
        authorizer=Authorizer(receiver=receiver, records=records, client=client),
        renewals=Renewals(
            receiver=receiver, records=records, keys=keys, held=held, copies=copies,
            requester=requester, client=client,
        ),
        devices=devices,
        replacing=PhraseReplacement(recovery, registrar, devices),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What reads requests, answers them, and remembers it."""

    reader: RequestReader
    log: PresentationLog
    decisions: DecisionReceipts
    linking: Linking
    index: CardIndex
    presenter: Presenter


def showing(
    ports: HolderPorts,
    policy: VerifierPolicy,
    held: HeldCredentials,
    nyms: Nyms,
    *,
    registry: VerifierRegistry | None,
    counted: Callable[[VerifiedRequest], Counted | None],
) -> Showing:
    """Return the parts that show cards."""
    records, keys, clock = ports.records, ports.keys, ports.clock
    transport, dids = ports.transport, ports.dids
    log = PresentationLog(records)
    linking, index = Linking(records, held, log), CardIndex(records)
    reader = RequestReader(
        transport=transport, dids=dids, clock=clock, policy=policy, registry=registry
    )
    decisions = DecisionReceipts(
        records=records, keys=keys, transport=transport, dids=dids, clock=clock,
        development=policy.development,
    )  # fmt: skip
    presenter = Presenter(
        reader=reader, held=held, index=index, log=log, receipts=decisions, linking=linking,
        keys=keys, nyms=nyms, transport=transport, clock=clock, development=policy.development,
        counted=counted,
    )  # fmt: skip
    return Showing(
        reader=reader, log=log, decisions=decisions, linking=linking, index=index,
        presenter=presenter,
    )  # fmt: skip
