"""The key ceremony: honest runs, every way to misbehave, and who is out because of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.voting import Body, Trustees, manifest, secret, signing_key
from wallet.crypto.secp256k1 import (
    GROUP_ORDER,
    base_multiple,
    encode_point,
    encode_scalar,
    is_equal,
    secret_multiple,
)
from wallet.voting.ceremony import (
    Ceremony,
    CeremonyFailed,
    CeremonyOrderInvalid,
    CeremonyResult,
    CeremonySignatureInvalid,
    ElectionKeyDiffers,
    replay_ceremony,
)
from wallet.voting.ceremony_messages import complaint_json, open_complaint, seal_share, share_json
from wallet.voting.decryption import lagrange_at_zero
from wallet.voting.statements import (
    StatementMalformed,
    StatementSignatureInvalid,
    parse_statement,
    sign_statement,
)
from wallet.voting.trustee import (
    CeremonyRoundNotReached,
    TrusteeSecretsMalformed,
    TrusteeShareMissing,
    commit_body,
    parse_trustee_secrets,
    parse_trustee_share,
    reveal_body,
)

MANIFEST = manifest()


def trustees_after(rounds: int) -> Trustees:
    found = Trustees(MANIFEST)
    for _ in range(rounds):
        found.run_round()
    return found


def election_secret(trustees: Trustees, result: CeremonyResult, chosen: tuple[int, ...]) -> int:
    shares = [trustees.share(result, number).secret for number in chosen]
    factors = lagrange_at_zero(chosen)
    return sum(a * b for a, b in zip(shares, factors, strict=True)) % GROUP_ORDER


def test_any_three_of_five_hold_the_key_and_two_do_not() -> None:
    trustees = Trustees(MANIFEST)
    result = trustees.run()
    assert result.qualified == (1, 2, 3, 4, 5)
    assert result.out == {}
    for chosen in ((1, 2, 3), (2, 4, 5), (1, 3, 5)):
        assert is_equal(
            base_multiple(election_secret(trustees, result, chosen)), result.election.key
        )
    assert not is_equal(
        base_multiple(election_secret(trustees, result, (1, 2))), result.election.key
    )
    for number in result.qualified:
        share = trustees.share(result, number)
        assert is_equal(secret_multiple(share.secret), result.verification_keys[number])


def test_whoever_replays_the_board_gets_the_same_key() -> None:
    trustees = Trustees(MANIFEST)
    result = trustees.run()
    again = replay_ceremony(MANIFEST, trustees.ceremony.payloads)
    assert again.entry_body == result.entry_body
    entry = sign_statement(signing_key("board"), result.entry_body)
    again.check_entry(entry)
    for wrong in (
        {**result.entry_body, "key": encode_point(secret_multiple(3)).hex()},
        {**result.entry_body, "qualified": [1, 2, 3]},
        {**result.entry_body, "election": "00" * 32},
    ):
        with pytest.raises(ElectionKeyDiffers):
            again.check_entry(sign_statement(signing_key("board"), wrong))
    with pytest.raises(StatementSignatureInvalid):
        again.check_entry(sign_statement(signing_key("trustee 1"), result.entry_body))


def test_one_trustee_alone_can_hold_an_election_of_one() -> None:
    alone = Trustees(manifest(trustees=1, threshold=1))
    result = alone.run()
    assert is_equal(secret_multiple(alone.share(result, 1).secret), result.election.key)


Spoil = Callable[[Body], Body | None]


def of(trustee: int, spoil: Spoil) -> Callable[[int, Body], Body | None]:
    return lambda number, body: spoil(body) if number == trustee else body


def change(**members: Any) -> Spoil:
    return lambda body: {**body, **members}


def spoil_share(to: int) -> Spoil:
    """Seal a wrong share for one trustee, in the right form."""

    def spoil(body: Body) -> Body:
        shares = list(body["shares"])
        place = next(at for at, share in enumerate(shares) if share["to"] == to)
        shares[place] = share_json(seal_share(MANIFEST, body["trustee"], to, 12345))
        return {**body, "shares": shares}

    return spoil


def nothing(body: Body) -> None:
    return None


WRONG: dict[str, tuple[int, Spoil]] = {
    "no commitment": (0, nothing),
    "a digest that is no hex": (0, change(digest="zz" * 32)),
    "a member more in round 1": (0, change(extra=1)),
    "no reveal": (1, nothing),
    "coefficients other than committed": (
        1,
        lambda body: {**body, "commitments": body["commitments"][::-1]},
    ),
    "one coefficient too many": (
        1,
        lambda body: {**body, "commitments": body["commitments"] + body["commitments"][:1]},
    ),
    "the identity as coefficient": (
        1,
        lambda body: {**body, "commitments": ["00" * 33, *body["commitments"][1:]]},
    ),
    "no knowledge of the constant": (
        1,
        change(proof={"e": encode_scalar(1).hex(), "z": encode_scalar(2).hex()}),
    ),
    "no shares": (2, nothing),
    "a share missing": (2, lambda body: {**body, "shares": body["shares"][1:]}),
    "shares in another order": (2, lambda body: {**body, "shares": body["shares"][::-1]}),
    "no knowledge of a share's secret": (
        2,
        lambda body: {
            **body,
            "shares": [
                {**body["shares"][0], "proof": body["shares"][1]["proof"]},
                *body["shares"][1:],
            ],
        },
    ),
    "a bad share": (2, spoil_share(4)),
    "bad shares for all": (
        2,
        lambda body: {
            **body,
            "shares": [
                share_json(seal_share(MANIFEST, body["trustee"], share["to"], 99))
                for share in body["shares"]
            ],
        },
    ),
    "no verdict": (3, nothing),
    "complaints that are no list": (3, change(complaints={})),
}


@pytest.mark.parametrize(("round_", "spoil"), WRONG.values(), ids=WRONG.keys())
def test_who_misbehaves_is_out_and_the_others_go_on(round_: int, spoil: Spoil) -> None:
    trustees = trustees_after(round_)
    trustees.run_round(of(2, spoil))
    result = trustees.run()
    assert result.qualified == (1, 3, 4, 5)
    assert set(result.out) == {2}
    assert is_equal(
        base_multiple(election_secret(trustees, result, (1, 4, 5))), result.election.key
    )
    with pytest.raises(TrusteeShareMissing):
        trustees.share(result, 2)
    replayed = replay_ceremony(MANIFEST, trustees.ceremony.payloads)
    assert (replayed.entry_body, replayed.out) == (result.entry_body, result.out)


def false_complaint(trustees: Trustees, dealer: int) -> Spoil:
    """Trustee 2 complains about a share that is good, and proves what was sent."""

    def spoil(body: Body) -> Body:
        sealed = trustees.ceremony.shares[dealer][2]
        complaint = open_complaint(MANIFEST, dealer, sealed, secret("encrypt 2"))
        return {**body, "complaints": [complaint_json(complaint)]}

    return spoil


def test_a_complaint_about_a_good_share_changes_nothing() -> None:
    trustees = trustees_after(3)
    trustees.run_round(of(2, false_complaint(trustees, 3)))
    assert trustees.run().qualified == (1, 2, 3, 4, 5)


def test_a_complaint_without_a_valid_proof_puts_its_author_out() -> None:
    trustees = trustees_after(3)

    def spoil(body: Body) -> Body:
        found = false_complaint(trustees, 3)(body)
        assert found is not None
        found["complaints"][0]["secret"] = encode_point(secret_multiple(9)).hex()
        return found

    trustees.run_round(of(2, spoil))
    result = trustees.run()
    assert result.qualified == (1, 3, 4, 5)


def test_a_complaint_about_oneself_or_one_who_is_out_is_ignored() -> None:
    trustees = trustees_after(2)
    trustees.run_round(of(3, nothing))
    proof = {"e": encode_scalar(1).hex(), "z": encode_scalar(2).hex()}
    point = encode_point(secret_multiple(9)).hex()
    complaints = [{"dealer": dealer, "secret": point, "proof": proof} for dealer in (2, 3)]
    trustees.run_round(of(2, change(complaints=complaints)))
    assert trustees.run().qualified == (1, 2, 4, 5)


def test_a_dealer_cannot_have_anothers_share_opened_by_a_complaint() -> None:
    """Trustee 2 passes on the point that 1 sent to 3: without the proof it is out at once."""
    trustees = trustees_after(2)

    def spoil(number: int, body: Body) -> Body:
        if number != 2:
            stolen.setdefault(number, body)
            return body
        share = next(item for item in stolen[1]["shares"] if item["to"] == 3)
        shares = [share if item["to"] == 3 else item for item in body["shares"]]
        return {**body, "shares": shares}

    stolen: dict[int, Body] = {}
    trustees.run_round(spoil)
    assert set(trustees.ceremony.out) == {2}
    trustees.run_round()
    verdicts = [parse_statement(payload).body for payload in trustees.ceremony.payloads[-4:]]
    assert [body["complaints"] for body in verdicts] == [[], [], [], []]


def test_a_ceremony_with_fewer_than_the_threshold_fails() -> None:
    trustees = Trustees(MANIFEST)
    trustees.run_round(lambda number, body: None if number > 2 else body)
    with pytest.raises(CeremonyFailed):
        trustees.run()
    with pytest.raises(CeremonyFailed):
        replay_ceremony(MANIFEST, [])


def test_nobody_reveals_before_all_have_committed() -> None:
    trustees = Trustees(MANIFEST)
    with pytest.raises(CeremonyRoundNotReached):
        reveal_body(trustees.ceremony, trustees.own[1])
    trustees.run_round(of(2, nothing))
    reveal_body(trustees.ceremony, trustees.own[1])
    with pytest.raises(CeremonyRoundNotReached):
        commit_body(trustees.ceremony, trustees.own[1])
    with pytest.raises(CeremonyRoundNotReached):
        reveal_body(trustees.ceremony, trustees.own[2])


def test_messages_out_of_order_twice_or_unsigned_are_no_part_of_a_board() -> None:
    trustees = trustees_after(4)
    payloads = trustees.ceremony.payloads
    for wrong, error in (
        ([payloads[1], payloads[0], *payloads[2:]], CeremonyOrderInvalid),
        ([payloads[0], *payloads], CeremonyOrderInvalid),
        ([*payloads, payloads[0]], CeremonyOrderInvalid),
        ([b"{}", *payloads], StatementMalformed),
    ):
        with pytest.raises(error):
            replay_ceremony(MANIFEST, wrong)


@pytest.mark.parametrize(
    "spoil",
    [
        change(trustee=2),
        change(trustee=0),
        change(trustee=6),
        change(trustee=True),
        change(trustee="1"),
        change(manifest="00" * 32),
    ],
)
def test_a_message_that_its_author_did_not_sign_for_this_election_is_refused(spoil: Spoil) -> None:
    trustees = Trustees(MANIFEST)
    body = spoil(commit_body(trustees.ceremony, trustees.own[1]))
    assert body is not None
    with pytest.raises(CeremonySignatureInvalid):
        trustees.ceremony.add(trustees.sign(1, body).octets)


def test_another_kind_of_statement_is_no_ceremony_message() -> None:
    statement = sign_statement(signing_key("trustee 1"), {"kind": "close", "trustee": 1})
    with pytest.raises(CeremonyOrderInvalid):
        Ceremony(MANIFEST).add(statement.octets)


def test_the_ceremony_is_part_of_what_ballots_are_bound_to() -> None:
    first, second = Trustees(MANIFEST).run(), Trustees(MANIFEST).run()
    assert first.election.digest != second.election.digest
    assert first.election.manifest.digest == second.election.manifest.digest


def test_secrets_survive_the_key_folder_and_do_not_show_in_a_repr() -> None:
    own = Trustees(MANIFEST).own[3]
    assert parse_trustee_secrets(3, own.octets) == own
    assert str(own.coefficients[0]) not in repr(own)
    for data in (b"", own.octets[:32], own.octets[:-1], own.octets[:32] + bytes(32)):
        with pytest.raises(TrusteeSecretsMalformed):
            parse_trustee_secrets(3, data)


def test_a_share_survives_the_key_folder_and_does_not_show_in_a_repr() -> None:
    trustees = Trustees(MANIFEST)
    share = trustees.share(trustees.run(), 3)
    assert parse_trustee_share(3, share.octets) == share
    assert str(share.secret) not in repr(share)
    for data in (b"", bytes(32), share.octets[:-1], b"\xff" * 32):
        with pytest.raises(TrusteeSecretsMalformed):
            parse_trustee_share(3, data)
