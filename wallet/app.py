"""The default composition of a wallet: an encrypted SQLite file, software keys, HTTPS."""

from __future__ import annotations

from pathlib import Path

from wallet.adapters.clock import SystemClock
from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.holder import HttpHolderTransport, RecentFacts
from wallet.adapters.http.sources import HttpDidResolver
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.crypto.certificates import TrustAnchors
from wallet.crypto.recovery_phrase import RecoveryPhrase, parse_recovery_phrase
from wallet.holder.client_identity import ClientIdentity
from wallet.holder.recovery import ExportUnavailable, restore_records
from wallet.holder.wallet import Wallet
from wallet.ports.facts import BoardRegistry, VerifierRegistry
from wallet.ports.holder import RecordStore
from wallet.verification.issuer_key import NO_ANCHORS


def open_wallet(
    path: str | Path,
    passphrase: str,
    *,
    create: bool = False,
    development: bool = False,
    trusted_issuers: frozenset[str] | None = None,
    ca_file: str | None = None,
    client: ClientIdentity | None = None,
    verifier_anchors: TrustAnchors = NO_ANCHORS,
    registry: VerifierRegistry | None = None,
    require_registration: bool = False,
    catalogue_publishers: frozenset[str] = frozenset(),
    boards: BoardRegistry | None = None,
) -> Wallet:
    """Open the wallet in the file at `path`, or with `create` make a new one there.

    `development` admits http and loopback for the host `localhost`, nothing else; with `ca_file`
    the DID documents of that host are fetched over https.
    `trusted_issuers` are the `credential_issuer` URLs to take credentials from; None leaves that
    to the holder. `client` is who this app is to authorization servers. `catalogue_publishers` are
    the DIDs to take programme catalogues from (see `Wallet.discovery`), `boards` a replica that
    knows which elections the chain has (see `Wallet.voting`). `ca_file` names further
    trust anchors for https (PEM); the certificates of verifiers that sign requests must lead to
    `verifier_anchors`. Close the wallet when done, or use it as `with`. Raises `StoreExists`,
    `StoreMissing`, `PassphraseWrong`,
    `PassphraseTooShort`, `PassphraseMalformed`, `StoreDamaged`, `StoreTooWeak`,
    `StoreUnavailable`, `CaFileUnusable`.
    """
    http = GuardedClient(allow_loopback_http=development, ca_file=ca_file)
    store_of = SqliteRecordStore.create if create else SqliteRecordStore.open
    records = store_of(path, passphrase)
    clock = SystemClock()

    def close() -> None:
        http.close()
        records.close()

    return Wallet(
        records=records,
        keys=SoftwareKeyStore(records),
        transport=HttpHolderTransport(http),
        dids=HttpDidResolver(
            http, RecentFacts(clock), clock, development=development and ca_file is None
        ),
        clock=clock,
        trusted_issuers=trusted_issuers,
        client=client,
        development=development,
        verifier_anchors=verifier_anchors,
        registry=registry,
        require_registration=require_registration,
        catalogue_publishers=catalogue_publishers,
        boards=boards,
        close=close,
    )


def change_passphrase(path: str | Path, old: str, new: str) -> None:
    """Change the passphrase of the wallet at `path`. Raises as `open_wallet` does."""
    with SqliteRecordStore.open(path, old) as records:
        records.change_passphrase(old, new)


def restore_wallet(
    export: str | Path, phrase: RecoveryPhrase | str, path: str | Path, passphrase: str
) -> int:
    """Make a new wallet at `path` from an export; return how many records it has.

    `phrase` is the recovery phrase of the exported wallet, as typed or as `recover_phrase` gave
    it from shares; `passphrase` is for the new wallet. The new wallet appears complete or not at
    all, and no existing one is touched. Open it by `open_wallet`. The old device's wallet still
    works: its keys are now in two places. Raises `StoreExists`, `PassphraseTooShort`,
    `PassphraseMalformed`, `StoreUnavailable`; `PhraseMalformed`, `PhraseWordUnknown`,
    `PhraseChecksumWrong`; `ExportMalformed`, `ExportVersionUnknown`, `ExportPhraseWrong`,
    `ExportTruncated`, `ExportDamaged`, `ExportUnavailable`.
    """
    known = parse_recovery_phrase(phrase) if isinstance(phrase, str) else phrase
    try:
        file = open(export, "rb")  # noqa: SIM115
    except OSError as error:
        raise ExportUnavailable("the export cannot be read just now") from error
    with file:

        def fill(records: RecordStore) -> None:
            restore_records(records, known, file.read)

        with SqliteRecordStore.create(path, passphrase, fill=fill) as records:
            return records.count - 1
