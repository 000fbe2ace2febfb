"""What a trustee does, step by step: the key ceremony, one decryption, the nonce.

docs/voting.md, sections 8, 10 and 11. Each message is made once, kept in the key folder, and only
then sent; whoever starts the tool again sends the same bytes. What was seen of the ceremony is
kept too: a ballot box that shows it otherwise later is told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from seoul_wallet.trustee.box import BoxNotReady, TrusteeBoxClient
from seoul_wallet.trustee.closed_board import (
    BoardCopy,
    BoardNotEnded,
    check_closed_board,
)
from seoul_wallet.trustee.folder import KeyFolder
from seoul_wallet.trustee.standing import (
    CeremonyViewDiffers,
    FolderNotJoined,
    FolderOfAnotherElection,
    ManifestDigestDiffers,
    NotATrustee,
    Place,
    Standing,
    Step,
    TieBlockTooEarly,
)
from wallet.crypto.hashing import sha256
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.ports.clock import Clock
from wallet.ports.compute import Compute
from wallet.ports.holder import HolderTransport
from wallet.recount import Tell
from wallet.voting.board import CEREMONY, END, Checkpoint, Entry, check_order
from wallet.voting.ceremony import Ceremony, CeremonyResult
from wallet.voting.decryption import KIND as SHARE
from wallet.voting.decryption import SecondAggregateRefused, decryption_share_body
from wallet.voting.manifest import Manifest, parse_manifest
from wallet.voting.published import is_beginning, open_beginning
from wallet.voting.statements import Statement, parse_statement, sign_statement
from wallet.voting.tie_break import KIND as NONCE
from wallet.voting.tie_break import tie_nonce_body
from wallet.voting.trustee import (
    TrusteeShare,
    commit_body,
    final_share,
    new_trustee_secrets,
    parse_trustee_secrets,
    parse_trustee_share,
    reveal_body,
    shares_body,
    verdict_body,
)

_PLACE: Final = "election"
_MANIFEST: Final = "manifest"
_SECRETS: Final = "ceremony-secrets"
_KEY_SHARE: Final = "key-share"
_AGGREGATE: Final = "decrypted-aggregate"


class TrusteeOffice:
    """One trustee with an open key folder. Methods may raise what the transport raises.

    `box_url` is where the ballot box is if it moved since the folder joined.
    """

    def __init__(
        self,
        folder: KeyFolder,
        transport: HolderTransport,
        clock: Clock,
        *,
        box_url: str | None = None,
    ) -> None:
        self._folder = folder
        self._transport = transport
        self._clock = clock
        self._box_url = box_url

    def place(self) -> Place:
        """Return where the folder belongs. Raises `FolderNotJoined`."""
        octets, manifest = self._folder.get(_PLACE), self._folder.get(_MANIFEST)
        if octets is None or manifest is None:
            raise FolderNotJoined("join an election first: trustee join")
        value = parse_json_object(octets)
        return Place(self._box_url or value["box_url"], parse_manifest(manifest), value["trustee"])

    def look(self, box_url: str) -> Place:
        """Return the election of a ballot box, and which trustee of it this one is.

        Nothing is kept. Raises `NotATrustee`, and as `BallotBoxClient.manifest`.
        """
        box = TrusteeBoxClient(box_url, self._transport)
        manifest = box.manifest()
        for number, trustee in enumerate(manifest.trustees, start=1):
            if self._folder.is_of(trustee):
                return Place(box.base_url, manifest, number)
        raise NotATrustee("no trustee of this election has the keys of this folder")

    def join(self, found: Place, *, manifest_digest: bytes | None) -> Place:
        """Bind the folder to an election for good; again it changes nothing.

        `manifest_digest` is h_M as the organiser told it on another way. Raises
        `ManifestDigestDiffers`, `FolderOfAnotherElection`.
        """
        if manifest_digest not in (None, found.manifest.digest):
            raise ManifestDigestDiffers("the ballot box shows another manifest than was announced")
        octets = found.manifest.octets
        value: JsonObject = {"box_url": found.box_url, "trustee": found.trustee}
        if self._folder.put_once(_MANIFEST, octets) == octets:
            self._folder.put_once(_PLACE, to_json(value))
        else:
            raise FolderOfAnotherElection("this folder belongs to another election")
        return found

    def advance(self) -> Standing:
        """Do what the key ceremony asks of this trustee now, and say where it stands.

        Raises `FolderNotJoined`, `CeremonyViewDiffers`, `CeremonyFailed`, the errors of ceremony
        messages that nobody should have published, `TrusteeShareMissing`, and as
        `TrusteeBoxClient.send_statement`.
        """
        place = self.place()
        entries, ceremony = self._ceremony(place)
        if is_beginning(entries):
            return self._keep_share(place, entries, ceremony)
        standing = _standing(place, ceremony)
        if standing.step is Step.MESSAGE_DUE:
            kind = CEREMONY[ceremony.round]
            if not self._is_delivered(kind):
                self._deliver(self._box(place), self._message(kind, place, ceremony))
            return Standing(Step.ROUND_WAITS, ceremony.round + 1)
        return standing

    def standing(self) -> Standing:
        """Say what comes next, without doing it. Raises as `advance`."""
        try:
            place = self.place()
        except FolderNotJoined:
            return Standing(Step.NOT_JOINED)
        entries, ceremony = self._ceremony(place)
        if not is_beginning(entries):
            due = _standing(place, ceremony)
            if due.step is Step.MESSAGE_DUE and self._is_delivered(CEREMONY[ceremony.round]):
                return Standing(Step.ROUND_WAITS, due.round)
            return due
        result = ceremony.finish()
        key = result.election.digest.hex()
        if place.trustee not in result.qualified:
            return Standing(Step.OUT, reason=result.out.get(place.trustee, ""), election=key)
        if self._folder.get(_KEY_SHARE) is None:
            return Standing(Step.MESSAGE_DUE, len(CEREMONY), election=key)
        return Standing(self._after_the_key(place, result), election=key)

    def decrypt(self, compute: Compute, tell: Tell) -> None:
        """Check the closed board, and send this trustee's share of its one aggregate.

        The aggregate's digest is written down before anything is computed from it. A share that
        is there is sent again. Raises `FolderNotJoined`, `BoardNotEnded`,
        `SecondAggregateRefused` for another board than the one decrypted before, and as
        `check_closed_board` and `TrusteeBoxClient.send_statement`.
        """
        place = self.place()
        entries, ceremony = self._ceremony(place)
        share = self._key_share(place)
        result = open_result(place.manifest, entries, ceremony)
        box = self._box(place)
        head = box.newest_head(result.election)
        if head is None or not self._is_ended(box, head.checkpoint):
            raise BoardNotEnded("the board has not ended yet")
        statement = self._kept(SHARE)
        if statement is None:
            statement = self._decrypted(
                box, head.checkpoint, entries, result, share, compute, tell
            )
        said = statement.body["size"], statement.body["root"]
        if said != (head.checkpoint.size, head.checkpoint.root.hex()):
            raise SecondAggregateRefused("this trustee decrypted another board of this election")
        self._deliver(box, statement)

    def reveal_nonce(self) -> None:
        """Send the nonce for the tie-break, once its block is there.

        Raises `FolderNotJoined`, `TieBlockTooEarly` by the box's word or by this computer's
        clock, and as `TrusteeBoxClient.send_statement`.
        """
        place = self.place()
        entries, ceremony = self._ceremony(place)
        result = open_result(place.manifest, entries, ceremony)
        box = self._box(place)
        time = place.manifest.tie_block_time
        if min(self._clock.now(), box.tie_block().time) < time:
            raise TieBlockTooEarly("the time of the tie-break has not come")
        own = parse_trustee_secrets(place.trustee, self._secrets(place))
        nonce = self._kept(NONCE) or self._keep(self._signed(tie_nonce_body(result.election, own)))
        self._deliver(box, nonce)

    def _box(self, place: Place) -> TrusteeBoxClient:
        return TrusteeBoxClient(place.box_url, self._transport)

    def _ceremony(self, place: Place) -> tuple[tuple[Entry, ...], Ceremony]:
        """Replay what is published, and compare it with what was seen and sent before."""
        entries = self._box(place).beginning(place.manifest)
        check_order(entries)
        if not entries or entries[0].payload != place.manifest.octets:
            raise CeremonyViewDiffers("the board begins with another manifest")
        ceremony = Ceremony(place.manifest)
        for entry in entries:
            if entry.kind in CEREMONY:
                ceremony.add(entry.payload)
        for kind in CEREMONY:
            self._compare(kind, [entry.payload for entry in entries if entry.kind == kind], place)
        if ceremony.payloads:
            # What is published is of rounds that are over.
            ceremony.end_round()
        return entries, ceremony

    def _compare(self, kind: str, payloads: Sequence[bytes], place: Place) -> None:
        if not payloads:
            return
        seen = sha256(b"".join(sha256(payload) for payload in payloads))
        if self._folder.put_once(f"seen-{kind}", seen) != seen:
            raise CeremonyViewDiffers(f"the round {kind} is not what it was before")
        own = self._kept(kind)
        for payload in payloads:
            statement = parse_statement(payload)
            if statement.body["trustee"] == place.trustee and statement != own:
                raise CeremonyViewDiffers(f"the board has a {kind} that this folder did not send")

    def _message(self, kind: str, place: Place, ceremony: Ceremony) -> Statement:
        kept = self._kept(kind)
        if kept is not None:
            return kept
        own = parse_trustee_secrets(place.trustee, self._secrets(place))
        secret = self._folder.encryption_secret
        make: dict[str, Callable[[], JsonObject]] = dict(
            zip(
                CEREMONY,
                (
                    lambda: commit_body(ceremony, own),
                    lambda: reveal_body(ceremony, own),
                    lambda: shares_body(ceremony, own),
                    lambda: verdict_body(ceremony, own, secret),
                ),
                strict=True,
            )
        )
        return self._keep(self._signed(make[kind]()))

    def _keep_share(
        self, place: Place, entries: tuple[Entry, ...], ceremony: Ceremony
    ) -> Standing:
        result = open_result(place.manifest, entries, ceremony)
        key = result.election.digest.hex()
        if place.trustee not in result.qualified:
            return Standing(Step.OUT, reason=result.out.get(place.trustee, ""), election=key)
        own = parse_trustee_secrets(place.trustee, self._secrets(place))
        share = final_share(ceremony, result, own, self._folder.encryption_secret)
        self._folder.put_once(_KEY_SHARE, share.octets)
        return Standing(self._after_the_key(place, result), election=key)

    def _after_the_key(self, place: Place, result: CeremonyResult) -> Step:
        now, manifest = self._clock.now(), place.manifest
        if now < manifest.opens:
            return Step.VOTE_WAITS
        box = self._box(place)
        head = box.newest_head(result.election)
        if head is None or not self._is_ended(box, head.checkpoint):
            return Step.VOTE_OPEN if now < manifest.closes else Step.END_WAITS
        if not self._is_delivered(SHARE):
            return Step.DECRYPT_DUE
        if self._is_delivered(NONCE):
            return Step.DONE
        try:
            is_there = min(now, box.tie_block().time) >= manifest.tie_block_time
        except BoxNotReady:
            is_there = False
        return Step.NONCE_DUE if is_there else Step.BLOCK_WAITS

    def _is_ended(self, box: TrusteeBoxClient, head: Checkpoint) -> bool:
        last = box.entries(head.size - 1, 1)
        return bool(last) and last[0].kind == END

    def _decrypted(
        self,
        box: TrusteeBoxClient,
        head: Checkpoint,
        beginning: tuple[Entry, ...],
        result: CeremonyResult,
        share: TrusteeShare,
        compute: Compute,
        tell: Tell,
    ) -> Statement:
        copy = BoardCopy(self._folder.path)
        copy.fetch(box, head.size, lambda done, total: None)
        aggregate = check_closed_board(
            copy, result.election, head, beginning, compute, self._folder, tell
        )
        # Written down first: whatever happens from here on, there is no second one.
        stands = self._folder.put_once(_AGGREGATE, aggregate.digest)
        body = decryption_share_body(aggregate, share, decrypted_before=stands)
        return self._keep(self._signed(body))

    def _key_share(self, place: Place) -> TrusteeShare:
        octets = self._folder.get(_KEY_SHARE)
        if octets is None:
            raise FolderNotJoined("the key ceremony was not finished: trustee join")
        return parse_trustee_share(place.trustee, octets)

    def _secrets(self, place: Place) -> bytes:
        octets = self._folder.get(_SECRETS)
        if octets is None:
            drawn = new_trustee_secrets(place.manifest, place.trustee)
            octets = self._folder.put_once(_SECRETS, drawn.octets)
        return octets

    def _signed(self, body: JsonObject) -> Statement:
        return sign_statement(self._folder.signing_key, body)

    def _keep(self, statement: Statement) -> Statement:
        return parse_statement(self._folder.put_once(f"made-{statement.kind}", statement.octets))

    def _deliver(self, box: TrusteeBoxClient, statement: Statement) -> None:
        box.send_statement(statement)
        self._folder.put_once(f"delivered-{statement.kind}", statement.octets)

    def _is_delivered(self, kind: str) -> bool:
        return self._folder.get(f"delivered-{kind}") is not None

    def _kept(self, kind: str) -> Statement | None:
        octets = self._folder.get(f"made-{kind}")
        return None if octets is None else parse_statement(octets)


def open_result(
    manifest: Manifest, entries: Sequence[Entry], ceremony: Ceremony
) -> CeremonyResult:
    """Return what a ceremony came to, if the board published just that.

    Raises `FolderNotJoined` before there is a key, `CeremonyFailed`, `ElectionKeyDiffers`,
    `StatementSignatureInvalid`.
    """
    if not is_beginning(entries):
        raise FolderNotJoined("the key ceremony is not over: trustee join")
    open_beginning(manifest, entries)
    return ceremony.finish()


def _standing(place: Place, ceremony: Ceremony) -> Standing:
    if place.trustee in ceremony.out:
        return Standing(Step.OUT, reason=ceremony.out[place.trustee])
    if ceremony.round >= len(CEREMONY):
        ceremony.finish()
        return Standing(Step.KEY_WAITS)
    return Standing(Step.MESSAGE_DUE, ceremony.round + 1)
