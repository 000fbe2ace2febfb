"""A wallet with cards moves to another device: it presents there, and the old one is as it was."""

from pathlib import Path

from tests.support.holder_peers import FixedClock, Issuer, Peers, Verifier, card_query
from tests.support.holder_stores import CHEAP
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.crypto.recovery_phrase import PhraseLanguage, parse_recovery_phrase
from wallet.crypto.recovery_shares import ShareGroup, recover_phrase, split_secret
from wallet.holder.recovery import restore_records
from wallet.holder.wallet import Wallet

NEW_PASSPHRASE = "완전히 다른 비밀 문장"


def test_a_card_is_presented_from_the_restored_wallet(
    wallet: Wallet,
    issuer: Issuer,
    verifier: Verifier,
    peers: Peers,
    clock: FixedClock,
    tmp_path: Path,
) -> None:
    wallet.receive(issuer.offer().to_json())
    wallet.present(wallet.review(verifier.ask(card_query(["name"]))))
    made = wallet.create_recovery_phrase(PhraseLanguage.KOREAN)
    wallet.export(tmp_path / "export")
    shares = split_secret(made.entropy, [ShareGroup(2, 3)])[0]
    typed = parse_recovery_phrase(" ".join(made.words))
    assert recover_phrase(shares[1:], PhraseLanguage.ENGLISH).entropy == typed.entropy

    with (tmp_path / "export").open("rb") as file:
        store = SqliteRecordStore.create(
            tmp_path / "new.db",
            NEW_PASSPHRASE,
            fill=lambda records: restore_records(records, typed, file.read),
            _floor=CHEAP,
        )
    with store:
        new = Wallet(
            records=store, keys=SoftwareKeyStore(store), transport=peers, dids=peers, clock=clock
        )
        assert new.credentials() == wallet.credentials()
        assert new.log() == wallet.log()
        assert [new.copies(card.id) for card in new.credentials()] == [
            wallet.copies(card.id) for card in wallet.credentials()
        ]
        verifier.verified.clear()
        new.present(new.review(verifier.ask(card_query(["name"]))))
        assert verifier.verified["card"].claims["name"] == "김하늘"
        # The log of the old device does not know what the new one did.
        assert len(new.log()) == len(wallet.log()) + 1
