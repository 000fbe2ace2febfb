"""Recovery keys at the issuer: proofs, races, the record, notices, policies."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from werkzeug.test import TestResponse

from issuer.profile import ProfileMalformed, read_profile
from issuer.recovery.channels import LogChannel, SpoolChannel
from issuer.recovery.policy import (
    COOLING_OFF_DESK,
    RecoveryPolicy,
    RecoveryPolicyMalformed,
    parse_recovery_policy,
)
from issuer.recovery.ports import ContactUnavailable, Notice, NoticeKind
from tests.support.issuing import ALICE, FAMILY, HOLDER, IssuerWorld, issuer_world, key_of
from tests.support.oid4vci_wallet import CARD, TestWallet, error_of
from wallet.crypto.keys import Es256SigningKey, thumbprint
from wallet.protocols.oid4vci.metadata import parse_issuer_metadata
from wallet.protocols.oid4vci.recovery import (
    RECOVERY_MEMBER,
    RECOVERY_PROOF_TYPE,
    RecoveryAct,
    RecoveryProofInvalid,
    RecoveryProofMalformed,
    RecoveryStatement,
    build_recovery_proof,
    verify_recovery_proof,
)
from wallet.protocols.oid4vci.token import RECOVERY_GRANT, RecoveryTokenRequest
from wallet.status.token_status_list import VALID

RACERS = 16
OLD, NEW, OTHER = "o" * 32, "n" * 32, "x" * 32
HOLDING = "h" * 32


@pytest.fixture
def world(tmp_path: Path) -> Iterator[IssuerWorld]:
    built = issuer_world(tmp_path, config_changes={"contact_spool": tmp_path / "spool"})
    yield built
    built.close()


@dataclass
class Owner:
    """The owner of a recovery key, every step by hand."""

    world: IssuerWorld
    key: Es256SigningKey
    device: str = OLD

    def proof(self, act: RecoveryAct, nonce: str, **said: Any) -> str:
        """Return a recovery proof, with changes."""
        key = said.pop("key", self.key)
        audience = said.pop("audience", self.world.base_url)
        issued_at = said.pop("issued_at", self.world.clock.now())
        statement = RecoveryStatement(act=act, **{"device": self.device, **said})
        return build_recovery_proof(
            key, statement, audience=audience, nonce=nonce, issued_at=issued_at
        )

    def hand(self) -> TestWallet:
        """Return a wallet with tokens bound to a key of its own."""
        return TestWallet(self.world, dpop=Es256SigningKey.generate())

    def receive(self, token: str, hand: TestWallet, holding: str, **said: Any) -> TestResponse:
        """Ask for one credential, registered as `holding`."""
        nonce = hand.nonce()
        register = self.proof(RecoveryAct.REGISTER, nonce, holding=holding, **said)
        body = {
            "credential_configuration_id": CARD,
            "proofs": {"jwt": [self.world.proof(nonce=nonce)]},
            RECOVERY_MEMBER: register,
        }
        return hand.post_resource("/credential", token, body)

    def first(self, holding: str = HOLDING) -> None:
        """Receive a card, registered."""
        hand = self.hand()
        assert (
            self.receive(hand.pre_authorized()["access_token"], hand, holding).status_code == 200
        )

    def ask(self, hand: TestWallet, source: str = HOLDING, **said: Any) -> TestResponse:
        """Ask for tokens to have a holding issued anew."""
        proof = self.proof(RecoveryAct.REISSUE, hand.nonce(), source=source, **said)
        return hand.exchange(RecoveryTokenRequest(proof))

    def post(self, act: RecoveryAct, **said: Any) -> TestResponse:
        """POST a proof to the endpoint of its act."""
        proof = self.proof(act, self.world.nonce(), **said)
        return self.world.client.post(f"/recovery/{act.value}", json={"proof": proof})


@pytest.fixture
def owner(world: IssuerWorld) -> Owner:
    return Owner(world, key_of("recovery"))


def good(world: IssuerWorld) -> int:
    issued = world.application.service.statuses.issuances_of(FAMILY)
    return sum(item.status == VALID and item.leaf is not None for item in issued)


def record(world: IssuerWorld) -> list[str]:
    headers = {"Authorization": f"Bearer {ALICE}"}
    found = world.client.get("/operator/recoveries", headers=headers).get_json()["recoveries"]
    return sorted(item["kind"] for item in found)


def test_the_metadata_name_it_plainly(world: IssuerWorld) -> None:
    document = world.client.get("/.well-known/openid-credential-issuer").get_json()
    assert document[RECOVERY_MEMBER] == {
        "devices_endpoint": "https://issuer.example/recovery/devices",
        "lost_endpoint": "https://issuer.example/recovery/lost",
        "key_endpoint": "https://issuer.example/recovery/key",
    }
    parsed = parse_issuer_metadata(document, credential_issuer=world.base_url)
    assert parsed.recovery is not None
    server = world.client.get("/.well-known/oauth-authorization-server").get_json()
    assert RECOVERY_GRANT in server["grant_types_supported"]
    del document[RECOVERY_MEMBER]
    assert parse_issuer_metadata(document, credential_issuer=world.base_url).recovery is None


def test_a_wallet_that_does_not_know_it_is_unaffected(world: IssuerWorld) -> None:
    world.issue()
    assert record(world) == []


def test_of_sixteen_parallel_tries_exactly_one_is_issued_anew(
    world: IssuerWorld, owner: Owner
) -> None:
    owner.first()
    hands = [owner.hand() for _ in range(RACERS)]
    tokens = [owner.ask(hand, device=NEW).get_json()["access_token"] for hand in hands]
    barrier = Barrier(RACERS)

    def race(number: int) -> int:
        barrier.wait()
        holding = f"{number:032}"
        return owner.receive(tokens[number], hands[number], holding, device=NEW).status_code

    with ThreadPoolExecutor(RACERS) as pool:
        statuses = list(pool.map(race, range(RACERS)))
    assert statuses.count(200) == 1
    assert set(statuses) == {200, 400}
    assert good(world) == 1
    assert record(world).count("reissued") == 1


def test_of_sixteen_uses_of_one_proof_one_gets_tokens(world: IssuerWorld, owner: Owner) -> None:
    owner.first()
    proof = owner.proof(RecoveryAct.REISSUE, world.nonce(), source=HOLDING, device=NEW)
    hands = [owner.hand() for _ in range(RACERS)]
    for hand in hands:
        hand.exchange(RecoveryTokenRequest("x"))  # so that each has its DPoP nonce
    barrier = Barrier(RACERS)

    def race(hand: TestWallet) -> int:
        barrier.wait()
        return hand.exchange(RecoveryTokenRequest(proof)).status_code

    with ThreadPoolExecutor(RACERS) as pool:
        statuses = list(pool.map(race, hands))
    assert statuses.count(200) == 1


def test_parallel_reports_of_one_device_are_one(world: IssuerWorld, owner: Owner) -> None:
    owner.first()
    barrier = Barrier(RACERS)

    def report(_: int) -> int:
        barrier.wait()
        return owner.post(RecoveryAct.LOST, lost=OLD, device=NEW).status_code

    with ThreadPoolExecutor(RACERS) as pool:
        assert set(pool.map(report, range(RACERS))) == {204}
    assert good(world) == 0
    assert record(world) == ["device_lost", "registered"]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"audience": "https://other.example"}, "invalid_recovery_proof"),
        ({"issued_at": 1}, "invalid_recovery_proof"),
        ({"issued_at": 2_000_000_000}, "invalid_recovery_proof"),
        ({"device": "short"}, "invalid_recovery_proof"),
        ({"device": "a/../" * 8}, "invalid_recovery_proof"),
        ({"key": key_of("a stranger")}, "recovery_unknown"),
        ({"source": OTHER}, "recovery_unknown"),
        ({"source": None}, "invalid_recovery_proof"),
    ],
)
def test_refuses_a_proof_that_is_not_for_this(
    world: IssuerWorld, owner: Owner, said: dict[str, Any], error: str
) -> None:
    owner.first()
    hand = owner.hand()
    asked = {"source": HOLDING, "device": NEW, **said}
    proof = owner.proof(RecoveryAct.REISSUE, hand.nonce(), **asked)
    assert error_of(hand.exchange(RecoveryTokenRequest(proof))) == (400, error)
    assert good(world) == 1


def test_tokens_are_only_for_who_proves_a_key(world: IssuerWorld, owner: Owner) -> None:
    owner.first()
    bearer = TestWallet(world)
    assert error_of(owner.ask(bearer, device=NEW)) == (400, "invalid_dpop_proof")
    assert record(world) == ["registered"]


def test_a_proof_of_one_act_is_none_of_another(world: IssuerWorld, owner: Owner) -> None:
    owner.first()
    devices = owner.proof(RecoveryAct.DEVICES, world.nonce())
    assert error_of(world.client.post("/recovery/lost", json={"proof": devices})) == (
        400,
        "invalid_recovery_proof",
    )
    with pytest.raises(RecoveryProofInvalid):
        verify_recovery_proof(
            devices,
            act=RecoveryAct.REISSUE,
            audience=world.base_url,
            now=world.clock.now(),
        )


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "." * 5000, "é"])
def test_what_is_no_proof_is_malformed(text: str) -> None:
    with pytest.raises(RecoveryProofMalformed):
        verify_recovery_proof(text, act=RecoveryAct.LOST, audience="https://a.example", now=1)


def test_a_nonce_is_good_once_and_of_a_key_proof(world: IssuerWorld, owner: Owner) -> None:
    proof = owner.proof(RecoveryAct.DEVICES, world.nonce())
    assert world.client.post("/recovery/devices", json={"proof": proof}).status_code == 200
    again = world.client.post("/recovery/devices", json={"proof": proof})
    assert error_of(again) == (400, "invalid_nonce")
    hand = owner.hand()
    token = hand.pre_authorized()["access_token"]
    body = {
        "credential_configuration_id": CARD,
        "proofs": {"jwt": [hand.proof()]},
        RECOVERY_MEMBER: owner.proof(RecoveryAct.REGISTER, hand.nonce(), holding=HOLDING),
    }
    answer = hand.post_resource("/credential", token, body)
    assert error_of(answer) == (400, "invalid_recovery_proof")


def test_what_is_issued_anew_is_registered_again_by_the_same_key(
    world: IssuerWorld, owner: Owner
) -> None:
    owner.first()
    hand = owner.hand()
    token = owner.ask(hand, device=NEW).get_json()["access_token"]
    assert error_of(hand.credential(token)) == (400, "invalid_recovery_proof")
    thief = owner.receive(token, hand, OTHER, device=NEW, key=key_of("a stranger"))
    assert error_of(thief) == (400, "recovery_replaced")
    assert good(world) == 1


def test_names_of_others_cannot_be_taken(world: IssuerWorld, owner: Owner) -> None:
    owner.first()
    stranger = Owner(world, key_of("a stranger"), device=NEW)
    hand = stranger.hand()
    token = hand.pre_authorized()["access_token"]
    taken = stranger.receive(token, hand, HOLDING)
    assert error_of(taken) == (400, "invalid_recovery_proof")
    device = stranger.receive(token, hand, OTHER, device=OLD)
    assert error_of(device) == (400, "invalid_recovery_proof")
    assert stranger.post(RecoveryAct.LOST, lost=OLD).get_json()["error"] == "recovery_unknown"
    assert good(world) == 1


def test_notices_go_out_once_and_name_no_content(
    world: IssuerWorld, owner: Owner, tmp_path: Path
) -> None:
    owner.first()
    owner.post(RecoveryAct.LOST, lost=OLD, device=NEW)
    world.application.work_once()
    (file,) = (tmp_path / "spool").iterdir()
    notice = json.loads(file.read_bytes())
    assert notice.pop("notice_id") == file.stem
    assert notice == {"recipient": HOLDER, "template": "device_lost", "at": world.clock.now()}
    assert file.stat().st_mode & 0o077 == 0
    file.unlink()
    world.application.work_once()
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_notice_waits_while_the_channel_does_not_take_it(
    world: IssuerWorld, owner: Owner, tmp_path: Path
) -> None:
    (tmp_path / "spool").write_bytes(b"not a folder")
    owner.first()
    owner.post(RecoveryAct.LOST, lost=OLD, device=NEW)
    recoveries = world.application.service.recoveries
    assert recoveries.tell_due() == ("contact_unavailable",)
    (tmp_path / "spool").unlink()
    assert recoveries.tell_due() == ()
    assert len(list((tmp_path / "spool").iterdir())) == 1


def test_the_log_says_that_there_is_something_and_not_whom(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    notice = Notice("notice-1", HOLDER, NoticeKind.REISSUED, 5)
    with caplog.at_level(logging.WARNING):
        LogChannel().tell(notice)
    assert "notice-1" in caplog.text
    assert HOLDER not in caplog.text
    (tmp_path / "file").touch()
    with pytest.raises(ContactUnavailable):
        SpoolChannel(tmp_path / "file").tell(notice)


def test_the_record_is_for_operators(world: IssuerWorld) -> None:
    assert world.client.get("/operator/recoveries").status_code == 401


@pytest.mark.parametrize(
    "value", [[], "approval", {CARD: "never"}, {CARD: -1}, {CARD: True}, {CARD: 10**9}]
)
def test_refuses_a_policy_that_means_nothing(value: object) -> None:
    with pytest.raises(RecoveryPolicyMalformed):
        parse_recovery_policy(value)


def test_a_policy_is_by_type_and_has_defaults(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    file.write_text(json.dumps({"recovery": {CARD: 3600}}))
    policy = read_profile(file, lambda _: key_of("none")).recovery
    assert policy.desk_of(CARD) == COOLING_OFF_DESK
    assert policy.desk_of("appointment-letter") == RecoveryPolicy().desk_of("appointment-letter")
    assert policy.desk_of("appointment-letter") is not None
    assert parse_recovery_policy({"appointment-letter": 0}).desk_of("appointment-letter") is None
    file.write_text(json.dumps({"recovery": {CARD: "soon"}}))
    with pytest.raises((ProfileMalformed, RecoveryPolicyMalformed)):
        read_profile(file, lambda _: key_of("none"))


def test_the_type_of_a_proof_is_its_own(world: IssuerWorld, owner: Owner) -> None:
    assert RECOVERY_PROOF_TYPE == "seoul-wallet-recovery+jwt"
    wrong = world.proof()
    answer = world.client.post("/recovery/devices", json={"proof": wrong})
    assert error_of(answer) == (400, "invalid_recovery_proof")


def replacing(owner: Owner, new: Es256SigningKey, **changes: Any) -> dict[str, str]:
    """Return the request that puts a key in the owner's place, with changes of the new proof."""
    nonce = owner.world.nonce()
    ids = {key: thumbprint(key.public_key) for key in (owner.key, new)}
    said = {"other": ids[owner.key], "key": new, "labels": {OLD: "b" * 32}, **changes}
    return {
        "proof": owner.proof(RecoveryAct.REPLACE, nonce, other=ids[new]),
        "new_proof": owner.proof(RecoveryAct.REPLACE, said.pop("nonce", nonce), **said),
    }


def test_another_key_takes_the_place_of_one_and_is_told_of(
    world: IssuerWorld, owner: Owner
) -> None:
    owner.first()
    new = Owner(world, key_of("new recovery"))
    body = replacing(owner, new.key)
    assert world.client.post("/recovery/key", json=body).status_code == 204
    assert error_of(owner.post(RecoveryAct.DEVICES)) == (400, "recovery_key_replaced")
    assert error_of(owner.ask(owner.hand(), device=NEW)) == (400, "recovery_key_replaced")
    listed = new.post(RecoveryAct.DEVICES).get_json()
    assert [device["label"] for device in listed["devices"]] == ["b" * 32]
    assert sorted(event["act"] for event in listed["events"]) == ["key_replaced", "registered"]
    assert new.ask(new.hand(), device=NEW).status_code == 200
    # A replay is refused by its nonce, and said again it changes nothing.
    assert error_of(world.client.post("/recovery/key", json=body)) == (400, "invalid_nonce")
    again = world.client.post("/recovery/key", json=replacing(owner, new.key))
    assert again.status_code == 204
    assert record(world).count("key_replaced") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"other": OTHER},
        {"key": key_of("a stranger")},
        {"nonce": "of another request"},
        {"audience": "https://other.example"},
        {"labels": {"short": "a"}},
        {"labels": {OLD: "not base64url!"}},
        {"labels": {f"{number:032}": "" for number in range(25)}},
    ],
    ids=["other", "key", "nonce", "audience", "device", "label", "labels"],
)
def test_refuses_a_new_key_that_does_not_prove_itself(
    world: IssuerWorld, owner: Owner, changes: dict[str, Any]
) -> None:
    owner.first()
    body = replacing(owner, key_of("new recovery"), **changes)
    answer = world.client.post("/recovery/key", json=body)
    assert error_of(answer) == (400, "invalid_recovery_proof")
    assert owner.post(RecoveryAct.DEVICES).status_code == 200


def test_a_key_that_was_replaced_is_not_replaced_by_another(
    world: IssuerWorld, owner: Owner
) -> None:
    owner.first()
    new = Owner(world, key_of("new recovery"))
    world.client.post("/recovery/key", json=replacing(owner, new.key))
    for old, key in ((owner, key_of("a thief")), (new, owner.key)):
        answer = world.client.post("/recovery/key", json=replacing(old, key))
        assert error_of(answer) == (400, "recovery_key_replaced")
    assert new.post(RecoveryAct.DEVICES).status_code == 200
