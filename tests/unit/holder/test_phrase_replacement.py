"""Another recovery phrase in the place of the old one: exports, issuers, other devices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.issuing import issuer_world
from tests.support.phones import Phone, Phones
from wallet.crypto.recovery_phrase import PhraseLanguage, RecoveryPhrase
from wallet.holder.export_format import ExportPhraseWrong
from wallet.holder.issuer_session import OfferRefused
from wallet.holder.recovery import OLD_KIND
from wallet.holder.reissue import Outcome
from wallet.ports.holder import PeerUnreachable


@pytest.fixture
def phones(tmp_path: Path) -> Iterator[Phones]:
    world = issuer_world(tmp_path)
    made = Phones(world, tmp_path)
    yield made
    made.close()
    world.close()


@pytest.fixture
def phone(phones: Phones) -> Phone:
    made = phones.new("phone")
    made.wallet.devices.name_device("내 전화")
    made.wallet.receive(phones.offer())
    made.wallet.create_recovery_phrase(PhraseLanguage.KOREAN)
    return made


def other_phrase(phone: Phone) -> RecoveryPhrase:
    return phone.wallet.replacing.new_phrase(PhraseLanguage.ENGLISH)


def outcome(phone: Phone) -> tuple[Outcome, str | None]:
    (told,) = phone.wallet.devices.reissue_all()
    return told.outcome, told.reason


def test_only_the_new_phrase_opens_what_is_exported_from_now_on(
    phones: Phones, phone: Phone
) -> None:
    old, new = phone.wallet.recovery_phrase(), other_phrase(phone)
    (told,) = phone.wallet.replacing.replace(new)
    assert (told.credential_issuer, told.error) == (phones.world.base_url, None)
    assert phone.wallet.recovery_phrase() == new
    shown, export = phones.back_up(phone)
    assert shown == new
    with pytest.raises(ExportPhraseWrong):
        phones.restore("by the old", old, export)
    assert outcome(phones.restore("by the new", new, export)) == (Outcome.REISSUED, None)


def test_the_issuer_gives_nothing_for_the_old_phrase_any_more(
    phones: Phones, phone: Phone
) -> None:
    old_phrase, old_export = phones.back_up(phone)
    good = phones.good()
    new = other_phrase(phone)
    phone.wallet.replacing.replace(new)
    thief = phones.restore("thief", old_phrase, old_export)
    assert outcome(thief) == (Outcome.NOT_POSSIBLE, "recovery_key_replaced")
    (_, error) = thief.wallet.devices.devices().unreachable[0]
    assert isinstance(error, OfferRefused)
    assert phones.good() == good
    # The thief's own phrase is not taken either.
    (told,) = thief.wallet.replacing.replace(other_phrase(thief))
    assert isinstance(told.error, OfferRefused)
    assert phones.good() == good
    assert phones.told() == ["key_replaced"]


def test_the_devices_keep_their_names_and_their_record(phones: Phones, phone: Phone) -> None:
    phone.wallet.replacing.replace(other_phrase(phone))
    (device,) = phone.wallet.devices.devices().devices
    assert (device.name, device.is_this) == ("내 전화", True)
    recoveries = phones.world.application.service.recoveries
    kinds = sorted(event.kind.value for event in recoveries.events())
    assert kinds == ["key_replaced", "registered"]


def test_what_was_restored_from_an_old_export_goes_on_with_the_new_phrase_as_typed(
    phones: Phones, phone: Phone
) -> None:
    old_phrase, old_export = phones.back_up(phone)
    new = other_phrase(phone)
    phone.wallet.replacing.replace(new)
    restored = phones.restore("restored", old_phrase, old_export)
    (wrong,) = restored.wallet.replacing.replace(other_phrase(restored))
    assert isinstance(wrong.error, OfferRefused)
    assert restored.wallet.replacing.unfinished == (phones.world.base_url,)
    (told,) = restored.wallet.replacing.replace(new)
    assert told.error is None
    assert outcome(restored) == (Outcome.REISSUED, None)


def test_a_device_that_has_not_heard_receives_cards_that_the_new_phrase_recovers(
    phones: Phones, phone: Phone
) -> None:
    second = phones.restore("second", *phones.back_up(phone))
    assert outcome(second) == (Outcome.REISSUED, None)
    new = other_phrase(phone)
    phone.wallet.replacing.replace(new)
    (card,) = second.wallet.receive(phones.offer())
    (told,) = second.wallet.replacing.replace(new)
    assert told.error is None
    exported = phones.back_up(second, "of the second")
    third = phones.restore("third", *exported)
    told = third.wallet.devices.reissue_all()
    assert {item.outcome for item in told} == {Outcome.REISSUED}
    assert card.id in {item.card.id for item in told}


def test_an_issuer_that_cannot_be_told_is_spoken_to_by_the_old_key_until_it_is(
    phones: Phones, phone: Phone
) -> None:
    new = other_phrase(phone)
    phones.network.down.add("/recovery/key")
    (told,) = phone.wallet.replacing.replace(new)
    assert isinstance(told.error, PeerUnreachable)
    assert phone.wallet.replacing.unfinished == (phones.world.base_url,)
    (device,) = phone.wallet.devices.devices().devices
    assert device.is_this
    # The export under the new phrase has what the issuer still wants.
    restored = phones.restore("restored", *phones.back_up(phone))
    assert outcome(restored) == (Outcome.REISSUED, None)
    phones.network.down.clear()
    (done,) = restored.wallet.replacing.finish()
    assert done.error is None
    (here,) = phone.wallet.replacing.finish()
    assert here.error is None
    assert phone.store.list(OLD_KIND) == restored.store.list(OLD_KIND) == []


def test_a_lost_answer_is_asked_for_again(phones: Phones, phone: Phone) -> None:
    new = other_phrase(phone)
    phones.network.down.add("/recovery/key")
    phone.wallet.replacing.replace(new)
    phones.network.down.clear()
    other = phones.restore("other", *phones.back_up(phone))
    assert [item.error for item in other.wallet.replacing.finish()] == [None]
    # To this phone it is as if its own answer had not arrived.
    assert [item.error for item in phone.wallet.replacing.finish()] == [None]
    assert [item.error for item in phone.wallet.replacing.finish()] == []


def test_the_phrase_of_today_replaces_nothing(phones: Phones, phone: Phone) -> None:
    assert phone.wallet.replacing.replace(phone.wallet.recovery_phrase()) == ()
    assert phones.told() == []


def test_an_issuer_that_is_gone_is_given_up(phones: Phones, phone: Phone) -> None:
    phones.network.down.add("/.well-known/openid-credential-issuer")
    (told,) = phone.wallet.replacing.replace(other_phrase(phone))
    assert isinstance(told.error, PeerUnreachable)
    phone.wallet.replacing.give_up(phones.world.base_url)
    assert phone.wallet.replacing.unfinished == ()


def test_an_old_phrase_does_not_come_back(phones: Phones, phone: Phone) -> None:
    old = phone.wallet.recovery_phrase()
    phone.wallet.replacing.replace(other_phrase(phone))
    (told,) = phone.wallet.replacing.replace(old)
    assert isinstance(told.error, OfferRefused)
    assert told.error.error == "recovery_key_replaced"


def test_a_lost_phone_does_not_replace_the_phrase(phones: Phones, phone: Phone) -> None:
    other = phones.restore("other", *phones.back_up(phone))
    (device,) = (item for item in other.wallet.devices.devices().devices if not item.is_this)
    other.wallet.devices.lost(device.id)
    (told,) = phone.wallet.replacing.replace(other_phrase(phone))
    assert isinstance(told.error, OfferRefused)
    assert told.error.error == "recovery_device_lost"
