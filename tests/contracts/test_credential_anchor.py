"""What an issuer may put on record, and who may take it back."""

import pytest
from eth_tester.exceptions import TransactionFailed

from tests.contracts.calls import accredit, anchor, publish, revoke, revoke_batch, scopes
from tests.contracts.chain import (
    FAMILY_CARD,
    RESIDENCE,
    WELFARE,
    YEAR,
    YOUTH,
    Chain,
    Refusal,
    sha256,
)

ROOT = sha256("root of a batch")
LIST = sha256("https://welfare.seoul.example/status/1")
NONE = bytes(32)


def batch(chain: Chain, root: bytes = ROOT, issuer_id: bytes = WELFARE) -> tuple[int, ...]:
    return tuple(chain.anchor.functions.batchOf(issuer_id, root).call())


def end_of(chain: Chain, what: str) -> None:
    """Ends the accreditation of WELFARE for the family card in one of the ways there are."""
    if what == "lapsed":
        chain.travel_to(scopes(chain)[0][2])
    elif what == "revoked":
        chain.send(revoke(chain), by=chain.accreditor)
    else:
        chain.send(
            chain.registry.functions.revokeAccreditor(chain.accreditor, FAMILY_CARD, 0),
            by=chain.root,
        )


WAYS_TO_END = ["lapsed", "revoked", "accreditor revoked"]


class TestAnchoring:
    def test_the_controller_of_an_accredited_issuer_anchors_a_batch(
        self, accredited: Chain
    ) -> None:
        chain = accredited
        receipt = chain.send(anchor(chain, ROOT, size=2**64 - 1), by=chain.controller)
        assert chain.event("BatchAnchored", receipt) == {
            "issuerId": WELFARE,
            "schemaId": FAMILY_CARD,
            "root": ROOT,
            "size": 2**64 - 1,
            "mandateId": 1,
            "manifestDigest": sha256("manifest"),
        }
        assert batch(chain) == (chain.now(), 0, 2**64 - 1, 1)
        assert batch(chain, sha256("another root")) == (0, 0, 0, 0)

    def test_nobody_else_anchors_for_an_issuer(self, accredited: Chain) -> None:
        chain = accredited
        for caller in (chain.root, chain.accreditor, chain.rival, chain.outsider):
            assert chain.refusal(anchor(chain, ROOT), by=caller) == Refusal(
                "NotController", (caller, WELFARE)
            )

    def test_another_issuer_does_not_anchor_for_it(self, accredited: Chain) -> None:
        chain = accredited
        chain.send(accredit(chain, YOUTH, chain.other_controller), by=chain.accreditor)
        assert chain.refusal(anchor(chain, ROOT), by=chain.other_controller) == Refusal(
            "NotController", (chain.other_controller, WELFARE)
        )

    def test_an_issuer_nobody_accredited_has_no_controller_to_anchor(
        self, accredited: Chain
    ) -> None:
        function = anchor(accredited, ROOT, issuer_id=YOUTH)
        assert accredited.refusal(function, by=accredited.controller) == Refusal(
            "NotController", (accredited.controller, YOUTH)
        )

    def test_refuses_a_schema_the_issuer_is_not_accredited_for(self, accredited: Chain) -> None:
        function = anchor(accredited, ROOT, schema_id=RESIDENCE)
        assert accredited.refusal(function, by=accredited.controller) == Refusal(
            "NotAccredited", (WELFARE, RESIDENCE)
        )

    @pytest.mark.parametrize("end", WAYS_TO_END)
    def test_refuses_a_batch_after_the_accreditation_ended(
        self, accredited: Chain, end: str
    ) -> None:
        chain = accredited
        end_of(chain, end)
        assert chain.refusal(anchor(chain, ROOT), by=chain.controller) == Refusal(
            "NotAccredited", (WELFARE, FAMILY_CARD)
        )

    def test_refuses_a_batch_before_the_accreditation_begins(self, chain: Chain) -> None:
        since = chain.now() + 100
        chain.send(accredit(chain, since=since), by=chain.accreditor)
        assert chain.refusal(anchor(chain, ROOT), by=chain.controller).name == "NotAccredited"
        chain.travel_to(since)
        chain.send(anchor(chain, ROOT), by=chain.controller)

    def test_a_root_is_anchored_once_and_never_changes(self, accredited: Chain) -> None:
        chain = accredited
        chain.send(anchor(chain, ROOT), by=chain.controller)
        before = batch(chain)
        chain.send(accredit(chain, schema_id=RESIDENCE), by=chain.rival)
        for again in (
            anchor(chain, ROOT),
            anchor(chain, ROOT, size=7),
            anchor(chain, ROOT, schema_id=RESIDENCE),
        ):
            assert chain.refusal(again, by=chain.controller) == Refusal(
                "BatchExists", (WELFARE, ROOT)
            )
        chain.send(revoke_batch(chain, ROOT), by=chain.controller)
        assert chain.refusal(anchor(chain, ROOT), by=chain.controller).name == "BatchExists"
        assert batch(chain) == (before[0], chain.now(), *before[2:])

    def test_two_issuers_anchor_the_same_root_apart(self, accredited: Chain) -> None:
        chain = accredited
        chain.send(accredit(chain, YOUTH, chain.other_controller), by=chain.rival)
        chain.send(anchor(chain, ROOT), by=chain.controller)
        chain.send(anchor(chain, ROOT, size=5, issuer_id=YOUTH), by=chain.other_controller)
        assert batch(chain)[2:] == (100, 1)
        assert batch(chain, issuer_id=YOUTH)[2:] == (5, 2)

    def test_refuses_a_batch_without_leaves_root_or_manifest(self, accredited: Chain) -> None:
        chain = accredited
        for function, refused in (
            (anchor(chain, ROOT, size=0), "EmptyBatch"),
            (anchor(chain, NONE), "ZeroDigest"),
            (anchor(chain, ROOT, manifest=NONE), "ZeroDigest"),
        ):
            assert chain.refusal(function, by=chain.controller) == Refusal(refused)

    def test_the_registry_must_be_a_contract(self, chain: Chain) -> None:
        with pytest.raises(TransactionFailed) as failure:
            chain.deploy("CredentialAnchor", chain.outsider)
        assert chain.decoded(failure.value) == Refusal("RegistryWithoutCode", (chain.outsider,))
        assert chain.anchor.functions.registry().call() == chain.registry.address


class TestRevokingBatches:
    @pytest.mark.parametrize("role", ["controller", "accreditor", "root"])
    def test_controller_accreditor_and_root_revoke_a_batch(
        self, accredited: Chain, role: str
    ) -> None:
        chain = accredited
        by = getattr(chain, role)
        chain.send(anchor(chain, ROOT), by=chain.controller)
        anchored_at = chain.now()
        receipt = chain.send(revoke_batch(chain, ROOT), by=by)
        assert chain.event("BatchRevoked", receipt) == {
            "issuerId": WELFARE,
            "root": ROOT,
            "by": by,
        }
        assert batch(chain) == (anchored_at, chain.now(), 100, 1)

    @pytest.mark.parametrize("role", ["rival", "other_controller", "outsider"])
    def test_nobody_else_revokes_a_batch(self, accredited: Chain, role: str) -> None:
        chain = accredited
        by = getattr(chain, role)
        chain.send(accredit(chain, YOUTH, chain.other_controller), by=chain.rival)
        chain.send(anchor(chain, ROOT), by=chain.controller)
        assert chain.refusal(revoke_batch(chain, ROOT), by=by) == Refusal(
            "NotAllowedToRevoke", (by, WELFARE)
        )

    @pytest.mark.parametrize(
        ("end", "role"),
        [
            ("lapsed", "controller"),
            ("lapsed", "accreditor"),
            ("lapsed", "root"),
            ("revoked", "controller"),
            ("revoked", "accreditor"),
            ("revoked", "root"),
            ("accreditor revoked", "controller"),
            ("accreditor revoked", "root"),
        ],
    )
    def test_a_batch_is_revoked_also_after_the_accreditation_ended(
        self, accredited: Chain, end: str, role: str
    ) -> None:
        chain = accredited
        chain.send(anchor(chain, ROOT), by=chain.controller)
        end_of(chain, end)
        chain.send(revoke_batch(chain, ROOT), by=getattr(chain, role))
        assert batch(chain)[1] == chain.now()

    def test_an_accreditor_that_root_revoked_revokes_no_batch(self, accredited: Chain) -> None:
        chain = accredited
        chain.send(anchor(chain, ROOT), by=chain.controller)
        end_of(chain, "accreditor revoked")
        assert chain.refusal(revoke_batch(chain, ROOT), by=chain.accreditor) == Refusal(
            "NotAllowedToRevoke", (chain.accreditor, WELFARE)
        )

    def test_a_former_controller_revokes_no_batch_and_the_new_one_does(
        self, accredited: Chain
    ) -> None:
        chain = accredited
        chain.send(anchor(chain, ROOT), by=chain.controller)
        chain.send(
            chain.registry.functions.changeController(WELFARE, chain.other_controller),
            by=chain.root,
        )
        assert chain.refusal(revoke_batch(chain, ROOT), by=chain.controller) == Refusal(
            "NotAllowedToRevoke", (chain.controller, WELFARE)
        )
        chain.send(revoke_batch(chain, ROOT), by=chain.other_controller)

    def test_a_batch_is_revoked_once_and_keeps_its_time(self, accredited: Chain) -> None:
        chain = accredited
        chain.send(anchor(chain, ROOT), by=chain.controller)
        chain.send(revoke_batch(chain, ROOT), by=chain.controller)
        assert chain.refusal(revoke_batch(chain, ROOT), by=chain.root) == Refusal(
            "BatchAlreadyRevoked", (WELFARE, ROOT, chain.now())
        )

    def test_refuses_to_revoke_a_batch_that_is_not_there(self, accredited: Chain) -> None:
        chain = accredited
        chain.send(anchor(chain, ROOT), by=chain.controller)
        for issuer_id, root in ((WELFARE, LIST), (YOUTH, ROOT)):
            assert chain.refusal(revoke_batch(chain, root, issuer_id), by=chain.root) == Refusal(
                "UnknownBatch", (issuer_id, root)
            )


class TestStatusLists:
    def test_the_controller_publishes_versions_one_after_the_other(
        self, accredited: Chain
    ) -> None:
        chain = accredited
        for version in (1, 2, 3):
            expires = chain.now() + 3600
            receipt = chain.send(publish(chain, version, LIST, expires=expires), chain.controller)
            digest = sha256(f"list version {version}")
            assert chain.event("StatusPublished", receipt) == {
                "issuerId": WELFARE,
                "listId": LIST,
                "version": version,
                "expires": expires,
                "digest": digest,
            }
            assert tuple(chain.anchor.functions.statusListOf(WELFARE, LIST).call()) == (
                version,
                chain.now(),
                expires,
                digest,
            )

    @pytest.mark.parametrize("version", [0, 1, 2, 4, 2**64 - 1])
    def test_refuses_a_version_that_is_not_the_next(self, accredited: Chain, version: int) -> None:
        chain = accredited
        for earlier in (1, 2):
            chain.send(publish(chain, earlier, LIST), by=chain.controller)
        assert chain.refusal(publish(chain, version, LIST), by=chain.controller) == Refusal(
            "VersionNotNext", (version, 3)
        )

    def test_the_first_version_is_one_for_every_list_and_issuer(self, accredited: Chain) -> None:
        chain = accredited
        chain.send(publish(chain, 1, LIST), by=chain.controller)
        other = sha256("https://welfare.seoul.example/status/2")
        assert chain.refusal(publish(chain, 2, other), by=chain.controller) == Refusal(
            "VersionNotNext", (2, 1)
        )
        chain.send(publish(chain, 1, other), by=chain.controller)
        chain.send(accredit(chain, YOUTH, chain.other_controller), by=chain.accreditor)
        chain.send(publish(chain, 1, LIST, issuer_id=YOUTH), by=chain.other_controller)

    def test_nobody_but_the_controller_publishes(self, accredited: Chain) -> None:
        chain = accredited
        for caller in (chain.root, chain.accreditor, chain.other_controller, chain.outsider):
            assert chain.refusal(publish(chain, 1, LIST), by=caller) == Refusal(
                "NotController", (caller, WELFARE)
            )

    @pytest.mark.parametrize("end", WAYS_TO_END)
    def test_status_is_published_also_after_the_accreditation_ended(
        self, accredited: Chain, end: str
    ) -> None:
        end_of(accredited, end)
        accredited.send(publish(accredited, 1, LIST), by=accredited.controller)
        assert accredited.anchor.functions.statusListOf(WELFARE, LIST).call()[0] == 1

    def test_root_takes_the_right_to_publish_away_by_changing_the_controller(
        self, accredited: Chain
    ) -> None:
        chain = accredited
        chain.send(
            chain.registry.functions.changeController(WELFARE, chain.other_controller),
            by=chain.root,
        )
        assert chain.refusal(publish(chain, 1, LIST), by=chain.controller).name == "NotController"
        chain.send(publish(chain, 1, LIST), by=chain.other_controller)

    def test_refuses_a_list_that_is_stale_or_has_no_digest_or_id(self, accredited: Chain) -> None:
        chain = accredited
        now = chain.now()
        for function, refused in (
            (publish(chain, 1, LIST, expires=now), Refusal("AlreadyExpired", (now, now))),
            (publish(chain, 1, LIST, digest=NONE), Refusal("ZeroDigest")),
            (publish(chain, 1, NONE), Refusal("ZeroDigest")),
        ):
            assert chain.refusal(function, by=chain.controller) == refused
        chain.send(publish(chain, 1, LIST, expires=now + YEAR), by=chain.controller)
