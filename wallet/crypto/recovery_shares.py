"""Shares of a recovery secret (SLIP-39): so many of so many people give it back together.

Groups of members: each group has a threshold of members, the whole has a threshold of groups.
Fewer than the threshold tell nothing about the secret. SLIP-39 has one word list, an English one.

A share says which set it is of and carries a checksum that finds any three wrong words. That it
is *altered on purpose* shows only when the shares are combined, and not which of them it is.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from shamir_mnemonic import (
    EncryptedMasterSecret,
    MnemonicError,
    Share,
    recover_ems,
    rs1024,
    split_ems,
)
from shamir_mnemonic.constants import (
    CUSTOMIZATION_STRING_EXTENDABLE,
    CUSTOMIZATION_STRING_ORIG,
    ID_LENGTH_BITS,
    MIN_MNEMONIC_LENGTH_WORDS,
    MIN_STRENGTH_BITS,
)
from shamir_mnemonic.shamir import RANDOM_BYTES
from shamir_mnemonic.shamir import ShareGroup as _Group
from shamir_mnemonic.wordlist import WORD_INDEX_MAP, WORDLIST

from wallet.crypto.recovery_phrase import (
    ENTROPY_BYTES,
    PhraseLanguage,
    RecoveryPhrase,
    UnknownWord,
    nearest_words,
)
from wallet.errors import ConflictError, MalformedError, RejectedError, UnsupportedError

MAX_SHARES: Final = 16
MAX_SHARES_OFFERED: Final = MAX_SHARES * MAX_SHARES
MAX_SHARE_WORDS: Final = 59  # a secret of 64 bytes
MAX_SHARE_CHARACTERS: Final = 1024
# 10,000 rounds of PBKDF2, doubled by each step. The secret is random, so ours need none more.
MAX_ITERATION_EXPONENT: Final = 6
_OUR_ITERATION_EXPONENT: Final = 0
_CHECKSUMS: Final = (CUSTOMIZATION_STRING_EXTENDABLE, CUSTOMIZATION_STRING_ORIG)


class RecoverySharePlanMalformed(MalformedError):
    """Groups or thresholds that cannot be: none, more than 16, a threshold above the number."""

    code = "recovery_share_plan_malformed"


class RecoveryShareMalformed(MalformedError):
    """What was typed is no share: the number of words, or what they say."""

    code = "recovery_share_malformed"


class RecoveryShareWordUnknown(MalformedError):
    """Words are not in the list of SLIP-39; `unknown` says which and what is near.

    The message names positions only.
    """

    code = "recovery_share_word_unknown"

    def __init__(self, unknown: tuple[UnknownWord, ...]) -> None:
        positions = ", ".join(str(word.position) for word in unknown)
        super().__init__(f"not in the word list of shares: word {positions}")
        self.unknown = unknown


class RecoveryShareChecksumWrong(RejectedError):
    """The words do not belong together so. `perhaps_swapped`: neighbours to exchange, from 1."""

    code = "recovery_share_checksum_wrong"

    def __init__(self, perhaps_swapped: tuple[tuple[int, int], ...]) -> None:
        super().__init__("the words of the share do not belong together in this order")
        self.perhaps_swapped = perhaps_swapped


class RecoveryShareUnsupported(UnsupportedError):
    """A share that takes far more rounds of PBKDF2 than anyone needs."""

    code = "recovery_share_unsupported"


class RecoveryShareForeign(RejectedError):
    """Shares of another set are among them; `positions` says which, from 1."""

    code = "recovery_share_foreign"

    def __init__(self, positions: tuple[int, ...]) -> None:
        super().__init__(f"of another set: share {', '.join(map(str, positions))}")
        self.positions = positions


class RecoveryShareRepeated(ConflictError):
    """One share was given twice; `positions` says where, from 1."""

    code = "recovery_share_repeated"

    def __init__(self, positions: tuple[int, ...]) -> None:
        super().__init__(f"given before: share {', '.join(map(str, positions))}")
        self.positions = positions


class RecoverySharesTooFew(ConflictError):
    """More shares are needed. `missing` is by group, from 1, of the groups that are begun.

    `groups_missing` is how many further groups must be complete.
    """

    code = "recovery_shares_too_few"

    def __init__(self, missing: dict[int, int], groups_missing: int) -> None:
        super().__init__(f"more shares are needed, of {groups_missing} more groups")
        self.missing = missing
        self.groups_missing = groups_missing


class RecoverySharesInconsistent(RejectedError):
    """Shares that say they belong together give no secret: at least one was altered."""

    code = "recovery_shares_inconsistent"


@dataclass(frozen=True, slots=True)
class ShareGroup:
    """How many members of a group of `count` are needed."""

    threshold: int
    count: int


@dataclass(frozen=True, slots=True)
class RecoveryShare:
    """One member's share. Numbers of group and member are from 1."""

    set_id: int
    group: int
    group_threshold: int
    group_count: int
    member: int
    member_threshold: int
    words: tuple[str, ...] = field(repr=False)
    _share: Share = field(repr=False)


def split_secret(
    secret: bytes, groups: Sequence[ShareGroup], *, group_threshold: int = 1
) -> tuple[tuple[RecoveryShare, ...], ...]:
    """Return the shares of `secret` (16 to 64 bytes, an even number), group by group.

    A group of threshold 1 has one member. Every call makes a new set:
    shares of two sets do not go together. Raises `RecoverySharePlanMalformed`.
    """
    _check_plan(groups, group_threshold)
    if len(secret) % 2 or not MIN_STRENGTH_BITS // 8 <= len(secret) <= 64:
        raise ValueError("a secret has an even number of bytes, 16 to 64")
    set_id = int.from_bytes(RANDOM_BYTES(2), "big") & ((1 << ID_LENGTH_BITS) - 1)
    encrypted = EncryptedMasterSecret.from_master_secret(
        secret, b"", set_id, extendable=True, iteration_exponent=_OUR_ITERATION_EXPONENT
    )
    shares = split_ems(group_threshold, [(one.threshold, one.count) for one in groups], encrypted)
    return tuple(tuple(_from_share(share) for share in group) for group in shares)


def parse_share(text: str) -> RecoveryShare:
    """Return the share that was typed.

    Raises `RecoveryShareMalformed`, `RecoveryShareWordUnknown`, `RecoveryShareChecksumWrong`,
    `RecoveryShareUnsupported`. Does not check that it is of any particular set.
    """
    if len(text) > MAX_SHARE_CHARACTERS:
        raise RecoveryShareMalformed(f"a share has at most {MAX_SHARE_CHARACTERS} characters")
    words = unicodedata.normalize("NFKD", text).lower().split()
    if not MIN_MNEMONIC_LENGTH_WORDS <= len(words) <= MAX_SHARE_WORDS:
        raise RecoveryShareMalformed(
            f"a share has 20 to {MAX_SHARE_WORDS} words, not {len(words)}"
        )
    unknown = tuple(
        UnknownWord(position, nearest_words(word, WORDLIST))
        for position, word in enumerate(words, start=1)
        if word not in WORD_INDEX_MAP
    )
    if unknown:
        raise RecoveryShareWordUnknown(unknown)
    if not _checksum_fits(words):
        raise RecoveryShareChecksumWrong(_fitting_swaps(words))
    try:
        share = Share.from_mnemonic(" ".join(words))
    except MnemonicError:
        raise RecoveryShareMalformed(
            "the words are no share, although their checksum fits"
        ) from None
    if len(share.value) % 2 or len(share.value) * 8 < MIN_STRENGTH_BITS:
        raise RecoveryShareMalformed(
            "the secret of a share has an even number of bytes, at least 16"
        )
    if share.iteration_exponent > MAX_ITERATION_EXPONENT:
        raise RecoveryShareUnsupported("the share takes more rounds of PBKDF2 than anyone needs")
    return _from_share(share)


def combine_shares(shares: Sequence[RecoveryShare], *, passphrase: bytes = b"") -> bytes:
    """Return the secret. More shares than needed may be given; the first that do are used.

    `passphrase` is for sets made elsewhere; those of `split_secret` have none, and a wrong one
    gives another secret, not an error. Raises `RecoveryShareForeign`,
    `RecoveryShareRepeated`, `RecoverySharesTooFew`, `RecoverySharesInconsistent`.
    """
    if len(shares) > MAX_SHARES_OFFERED:
        raise RecoverySharesInconsistent("more shares than any set has")
    plain = [one._share for one in shares]
    _check_same_set(plain)
    groups = _complete_groups(plain)
    try:
        secret: bytes = recover_ems(groups).decrypt(passphrase)
    except MnemonicError:
        raise RecoverySharesInconsistent("the shares give no secret") from None
    return secret


def recover_phrase(shares: Sequence[RecoveryShare], language: PhraseLanguage) -> RecoveryPhrase:
    """Return the recovery phrase that was split, written in `language`.

    Raises as `combine_shares` does, and `RecoverySharesInconsistent` for a secret of another
    length than a wallet's.
    """
    secret = combine_shares(shares)
    if len(secret) != ENTROPY_BYTES:
        raise RecoverySharesInconsistent("the secret of these shares is not one of a wallet")
    return RecoveryPhrase(secret, language)


def _check_plan(groups: Sequence[ShareGroup], group_threshold: int) -> None:
    if not 1 <= group_threshold <= len(groups) <= MAX_SHARES:
        raise RecoverySharePlanMalformed(
            f"1 to {MAX_SHARES} groups, and no threshold above their number"
        )
    for group in groups:
        if not 1 <= group.threshold <= group.count <= MAX_SHARES:
            raise RecoverySharePlanMalformed(
                f"a group has 1 to {MAX_SHARES} members, and no threshold above their number"
            )
        if group.threshold == 1 and group.count > 1:
            raise RecoverySharePlanMalformed(
                "a group of which one member is enough has one member"
            )


def _check_same_set(shares: Sequence[Share]) -> None:
    if not shares:
        raise RecoverySharesTooFew({}, 1)
    parameters = [(share.common_parameters(), len(share.value)) for share in shares]
    most_common = Counter(parameters).most_common(1)[0][0]
    foreign = tuple(at for at, one in enumerate(parameters, start=1) if one != most_common)
    if foreign:
        raise RecoveryShareForeign(foreign)
    seen: dict[tuple[int, int], Share] = {}
    repeated = []
    for at, share in enumerate(shares, start=1):
        place = (share.group_index, share.index)
        if seen.get(place, share) != share:
            raise RecoverySharesInconsistent("two different shares have one place in the set")
        if place in seen:
            repeated.append(at)
        seen[place] = share
    if repeated:
        raise RecoveryShareRepeated(tuple(repeated))


def _complete_groups(shares: Sequence[Share]) -> dict[int, _Group]:
    """Return exactly as many complete groups as are needed, each of its threshold of members."""
    by_group: dict[int, list[Share]] = {}
    for share in shares:
        by_group.setdefault(share.group_index, []).append(share)
    complete: dict[int, _Group] = {}
    missing = {}
    for index, members in by_group.items():
        if len({share.member_threshold for share in members}) > 1:
            raise RecoverySharesInconsistent("the shares of a group do not agree on its threshold")
        lacking = members[0].member_threshold - len(members)
        if lacking > 0:
            missing[index + 1] = lacking
        elif len(complete) < members[0].group_threshold:
            group = complete[index] = _Group()
            for share in members[: members[0].member_threshold]:
                group.add(share)
    lacking_groups = shares[0].group_threshold - len(complete)
    if lacking_groups > 0:
        raise RecoverySharesTooFew(missing, lacking_groups)
    return complete


def _from_share(share: Share) -> RecoveryShare:
    return RecoveryShare(
        set_id=share.identifier,
        group=share.group_index + 1,
        group_threshold=share.group_threshold,
        group_count=share.group_count,
        member=share.index + 1,
        member_threshold=share.member_threshold,
        words=tuple(share.words()),
        _share=share,
    )


def _checksum_fits(words: Sequence[str]) -> bool:
    indexes = [WORD_INDEX_MAP[word] for word in words]
    return any(rs1024.verify_checksum(indexes, checksum) for checksum in _CHECKSUMS)


def _fitting_swaps(words: list[str]) -> tuple[tuple[int, int], ...]:
    return tuple(
        (at + 1, at + 2)
        for at in range(len(words) - 1)
        if _checksum_fits([*words[:at], words[at + 1], words[at], *words[at + 2 :]])
    )
