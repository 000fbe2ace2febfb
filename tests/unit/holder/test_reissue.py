"""A lost phone: cards issued anew on another one by the wallet's recovery key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from issuer.parts import ServiceSettings
from issuer.recovery.policy import RecoveryPolicy
from tests.support.issuing import APPOINTMENT, BOB, FAMILY, IssuerWorld, issuer_world
from tests.support.phones import CARD, Phone, Phones, open_phone
from wallet.crypto.recovery_phrase import PhraseLanguage
from wallet.crypto.recovery_shares import ShareGroup, recover_phrase, split_secret
from wallet.holder.issuer_session import OfferRefused
from wallet.holder.receive import IssuancePending
from wallet.holder.recovery import RecoveryPhraseMissing
from wallet.holder.reissue import DeviceUnknown, Outcome, Reissued
from wallet.ports.holder import Delete, PeerUnreachable, Put

DAY_S = 24 * 3600


@pytest.fixture
def world(tmp_path: Path) -> Iterator[IssuerWorld]:
    built = issuer_world(tmp_path)
    yield built
    built.close()


@pytest.fixture
def phones(world: IssuerWorld, tmp_path: Path) -> Iterator[Phones]:
    made = Phones(world, tmp_path)
    yield made
    made.close()


def with_card(phones: Phones, name: str = "old") -> Phone:
    phone = phones.new(name)
    phone.wallet.receive(phones.offer())
    return phone


def outcomes(told: tuple[Reissued, ...]) -> list[tuple[Outcome, str | None]]:
    return [(item.outcome, item.reason) for item in told]


def test_cards_are_issued_anew_and_the_old_copies_revoked(phones: Phones) -> None:
    old = with_card(phones)
    before = old.indexes()
    assert phones.good() == before
    new = phones.restore("new", *phones.back_up(old))
    steps = []
    told = new.wallet.devices.reissue_all(tell=lambda _, done, total: steps.append((done, total)))
    assert outcomes(told) == [(Outcome.REISSUED, None)]
    assert steps == [(1, 1)]
    assert phones.good() == new.indexes()
    assert not new.indexes() & before
    (card,) = new.wallet.credentials()
    assert card.id == old.wallet.credentials()[0].id
    assert new.wallet.copies(card.id) == 3
    # The keys of the old copies, and of the old tokens, are gone from the new phone.
    assert len(new.store.list("key")) == 5
    assert not {key.record_id for key in old.store.list("key")} & {
        key.record_id for key in new.store.list("key")
    }
    assert phones.told() == ["reissued"]
    # What came with it renews it; the old phone gets nothing any more.
    assert new.wallet.top_up(card.id, below=10) == 4
    assert phones.good() == new.indexes()
    with pytest.raises(OfferRefused) as caught:
        old.wallet.top_up(card.id, below=10)
    assert caught.value.error == "recovery_device_lost"
    assert phones.good() == new.indexes()


def test_a_card_that_is_here_already_stays_as_it_is_unless_asked(phones: Phones) -> None:
    phone = with_card(phones)
    before = phone.indexes()
    assert outcomes(phone.wallet.devices.reissue_all()) == [(Outcome.HERE_ALREADY, None)]
    assert phone.indexes() == before
    assert outcomes(phone.wallet.devices.reissue_all(again=True)) == [(Outcome.REISSUED, None)]
    assert phones.good() == phone.indexes()
    assert not phone.indexes() & before


def test_shares_of_the_family_do_as_well_as_the_phrase(phones: Phones) -> None:
    old = with_card(phones)
    phrase, export = phones.back_up(old)
    shares = split_secret(phrase.entropy, [ShareGroup(2, 3)])[0]
    new = phones.restore("new", recover_phrase(shares[1:], PhraseLanguage.ENGLISH), export)
    assert outcomes(new.wallet.devices.reissue_all()) == [(Outcome.REISSUED, None)]


def test_the_secret_is_there_before_anyone_asked_for_its_words(phones: Phones) -> None:
    phone = with_card(phones)
    with pytest.raises(RecoveryPhraseMissing):
        phone.wallet.recovery_phrase()
    with pytest.raises(RecoveryPhraseMissing):
        phone.wallet.export(phones.folder / "export")
    made = phone.wallet.create_recovery_phrase(PhraseLanguage.KOREAN)
    assert phone.wallet.recovery_phrase() == made
    (listed,) = phone.wallet.devices.devices().devices
    assert listed.is_this


def test_a_wallet_of_another_phrase_cannot_have_it(phones: Phones) -> None:
    old = with_card(phones)
    stranger = with_card(phones, "stranger")
    (card,) = stranger.wallet.credentials()
    stranger.store.write(Put("holding", card.id, old.store.list("holding")[0].payload))
    told = stranger.wallet.devices.reissue(card.id)
    assert (told.outcome, told.reason) == (Outcome.NOT_POSSIBLE, "recovery_unknown")
    assert old.indexes() <= phones.good()


def test_the_second_device_that_asks_for_the_same_holding_is_refused(phones: Phones) -> None:
    old = with_card(phones)
    backup = phones.back_up(old)
    one, other = phones.restore("one", *backup), phones.restore("other", *backup)
    assert outcomes(one.wallet.devices.reissue_all()) == [(Outcome.REISSUED, None)]
    assert outcomes(other.wallet.devices.reissue_all()) == [
        (Outcome.NOT_POSSIBLE, "recovery_replaced")
    ]
    assert phones.good() == one.indexes()


def test_a_second_device_has_copies_of_its_own(phones: Phones) -> None:
    first = with_card(phones)
    second = phones.restore("second", *phones.back_up(first))
    second.wallet.devices.name_device("새 휴대전화 (가상)")
    assert outcomes(second.wallet.devices.reissue_all(keep=True)) == [(Outcome.REISSUED, None)]
    assert not first.indexes() & second.indexes()
    assert phones.good() == first.indexes() | second.indexes()
    seen = second.wallet.devices.devices()
    assert [item.is_this for item in seen.devices] == [True, False]
    assert seen.devices[0].name == "새 휴대전화 (가상)"
    assert [item.at[0].cards for item in seen.devices] == [(CARD,), (CARD,)]
    # The issuer has no name of a device, only what the wallet's devices can open.
    with phones.world.issuer_engine.connect() as connection:
        labels = connection.exec_driver_sql("SELECT label FROM issuer_recovery_devices").all()
    assert len({len(row.label) for row in labels}) == 1


def test_a_lost_device_loses_its_own_copies_and_no_others(phones: Phones) -> None:
    first = with_card(phones)
    second = phones.restore("second", *phones.back_up(first))
    second.wallet.devices.reissue_all(keep=True)
    (other,) = [item for item in second.wallet.devices.devices().devices if not item.is_this]
    assert second.wallet.devices.lost(other.id) == ((phones.world.base_url, None),)
    assert phones.good() == second.indexes()
    assert [item.is_lost for item in second.wallet.devices.devices().devices] == [False, True]
    assert phones.told() == ["device_lost", "reissued"]
    # Again is no error, and the lost one gets nothing: no copies, no list, no revenge.
    second.wallet.devices.lost(other.id)
    (card,) = first.wallet.credentials()
    told = first.wallet.devices.reissue(card.id, again=True)
    assert (told.outcome, told.reason) == (Outcome.NOT_POSSIBLE, "recovery_device_lost")
    (mine,) = [item for item in first.wallet.devices.devices().devices if not item.is_this]
    ((_, error),) = first.wallet.devices.lost(mine.id)
    assert error is not None
    assert phones.good() == second.indexes()
    with pytest.raises(DeviceUnknown):
        second.wallet.devices.lost("nobody")


def test_what_was_on_a_lost_device_is_issued_anew_from_a_backup(phones: Phones) -> None:
    old = with_card(phones)
    new = phones.restore("new", *phones.back_up(old))
    (lost,) = new.wallet.devices.devices().devices
    new.wallet.devices.lost(lost.id)
    assert phones.good() == set()
    assert outcomes(new.wallet.devices.reissue_all()) == [(Outcome.REISSUED, None)]
    assert phones.good() == new.indexes()


def test_what_the_department_withdrew_is_not_had_again(phones: Phones) -> None:
    old = with_card(phones)
    new = phones.restore("new", *phones.back_up(old))
    found = phones.world.operate("/issuances/search", {"subject_id": FAMILY}).get_json()
    issuance = found["issuances"][0]["issuance_id"]
    path = f"/issuances/{issuance}/suspend"
    assert phones.world.operate(path, {"reason": "under_review"}).status_code == 204
    assert outcomes(new.wallet.devices.reissue_all()) == [
        (Outcome.NOT_POSSIBLE, "recovery_withdrawn")
    ]


def test_an_operator_who_revoked_for_a_lost_phone_is_no_obstacle(phones: Phones) -> None:
    old = with_card(phones)
    new = phones.restore("new", *phones.back_up(old))
    found = phones.world.operate("/issuances/search", {"subject_id": FAMILY}).get_json()
    for issuance in found["issuances"]:
        path = f"/issuances/{issuance['issuance_id']}/revoke"
        assert phones.world.operate(path, {"reason": "device_lost"}).status_code == 204
    assert outcomes(new.wallet.devices.reissue_all()) == [(Outcome.REISSUED, None)]


def test_an_answer_that_never_arrived_is_had_again(phones: Phones) -> None:
    old = with_card(phones)
    new = phones.restore("new", *phones.back_up(old))

    class Cut:
        """The network, which loses the answers of the credential endpoint."""

        def __init__(self) -> None:
            self.cutting = True

        def __getattr__(self, name: str) -> object:
            return getattr(phones.network, name)

        def post_body(self, url: str, *arguments: object, **more: object) -> object:
            answer = phones.network.post_body(url, *arguments, **more)  # type: ignore[arg-type]
            if self.cutting and url.endswith("/credential"):
                raise PeerUnreachable("the line was cut")
            return answer

    cut = Cut()
    wallet = open_phone(new.store, cut)  # type: ignore[arg-type]
    assert outcomes(wallet.devices.reissue_all()) == [(Outcome.NOT_POSSIBLE, "peer_unreachable")]
    assert not phones.good() & old.indexes()
    cut.cutting = False
    assert outcomes(wallet.devices.reissue_all()) == [(Outcome.REISSUED, None)]
    assert phones.good() == new.indexes()
    assert wallet.unfinished == 0


def test_what_is_not_registered_is_told_with_the_reason(phones: Phones) -> None:
    old = with_card(phones)
    old.wallet.receive(phones.offer())
    forgotten = old.wallet.credentials()[0].id
    old.store.write(Delete("holding", forgotten))
    new = phones.restore("new", *phones.back_up(old))
    told = {item.card.id: (item.outcome, item.reason) for item in new.wallet.devices.reissue_all()}
    assert told.pop(forgotten) == (Outcome.NOT_POSSIBLE, "not_registered")
    assert list(told.values()) == [(Outcome.REISSUED, None)]


def test_a_key_is_used_so_often_and_no_more(tmp_path: Path) -> None:
    settings = ServiceSettings(recovery=RecoveryPolicy(max_acts=2))
    world = issuer_world(tmp_path, settings=settings)
    phones = Phones(world, tmp_path)
    phone = with_card(phones)
    for _ in range(2):
        assert outcomes(phone.wallet.devices.reissue_all(again=True)) == [(Outcome.REISSUED, None)]
    assert outcomes(phone.wallet.devices.reissue_all(again=True)) == [
        (Outcome.NOT_POSSIBLE, "recovery_too_often")
    ]
    world.clock.set(world.clock.now() + DAY_S + 1)
    assert outcomes(phone.wallet.devices.reissue_all(again=True)) == [(Outcome.REISSUED, None)]
    phones.close()
    world.close()


class TestHeld:
    """Types that wait before they are issued anew."""

    def phones(self, tmp_path: Path, policy: RecoveryPolicy) -> Phones:
        return Phones(issuer_world(tmp_path, settings=ServiceSettings(recovery=policy)), tmp_path)

    def approvals(self, phones: Phones) -> list[str]:
        headers = {"Authorization": f"Bearer {BOB}"}
        listed = phones.world.client.get("/operator/approvals", headers=headers).get_json()
        return [item["approval_id"] for item in listed["approvals"]]

    def test_a_type_with_approval_waits_for_an_operator(self, tmp_path: Path) -> None:
        phones = self.phones(tmp_path, RecoveryPolicy(approval=frozenset((CARD,))))
        old = with_card(phones)
        new = phones.restore("new", *phones.back_up(old))
        assert outcomes(new.wallet.devices.reissue_all()) == [(Outcome.WAITING, None)]
        assert phones.told() == ["reissue_asked"]
        assert phones.good() == old.indexes()
        phones.world.clock.set(phones.world.clock.now() + 3 * DAY_S)
        assert outcomes(new.wallet.devices.reissue_all()) == [(Outcome.WAITING, None)]
        (approval,) = self.approvals(phones)
        answer = phones.world.operate(f"/approvals/{approval}/approve", {}, token=BOB)
        assert answer.status_code == 200
        new.wallet.resume()
        assert phones.good() == new.indexes()
        assert phones.told() == ["reissue_asked", "reissued"]
        phones.close()
        phones.world.close()

    def test_a_type_with_a_cooling_off_is_free_after_it(self, tmp_path: Path) -> None:
        phones = self.phones(tmp_path, RecoveryPolicy(cooling_off_s={CARD: DAY_S}))
        old = with_card(phones)
        new = phones.restore("new", *phones.back_up(old))
        assert outcomes(new.wallet.devices.reissue_all()) == [(Outcome.WAITING, None)]
        phones.world.clock.set(phones.world.clock.now() + DAY_S - 1)
        assert outcomes(new.wallet.devices.reissue_all()) == [(Outcome.WAITING, None)]
        phones.world.clock.set(phones.world.clock.now() + 1)
        assert outcomes(new.wallet.devices.reissue_all()) == [(Outcome.REISSUED, None)]
        assert phones.good() == new.indexes()
        assert self.approvals(phones) == []
        phones.close()
        phones.world.close()

    def test_one_that_an_operator_refused_in_time_is_not_issued(self, tmp_path: Path) -> None:
        phones = self.phones(tmp_path, RecoveryPolicy(cooling_off_s={CARD: DAY_S}))
        old = with_card(phones)
        new = phones.restore("new", *phones.back_up(old))
        new.wallet.devices.reissue_all()
        (approval,) = self.approvals(phones)
        phones.world.operate(f"/approvals/{approval}/refuse", {}, token=BOB)
        phones.world.clock.set(phones.world.clock.now() + 2 * DAY_S)
        # It is asked for again from the start, and waits again.
        assert outcomes(new.wallet.devices.reissue_all()) == [(Outcome.WAITING, None)]
        assert phones.good() == old.indexes()
        phones.close()
        phones.world.close()

    def test_letters_wait_unless_the_profile_says_otherwise(self, tmp_path: Path) -> None:
        phones = self.phones(tmp_path, RecoveryPolicy())
        phone = phones.new("old")
        link = phones.offer(
            configuration_id="appointment-letter", subject_id=APPOINTMENT, holder_id=APPOINTMENT
        )
        with pytest.raises(IssuancePending):
            phone.wallet.receive(link)
        (approval,) = self.approvals(phones)
        phones.world.operate(f"/approvals/{approval}/approve", {}, token=BOB)
        phone.wallet.resume()
        assert outcomes(phone.wallet.devices.reissue_all(again=True)) == [(Outcome.WAITING, None)]
        phones.close()
        phones.world.close()
