import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wallet.crypto.recovery_shares import (
    MAX_SHARE_CHARACTERS,
    RecoveryShare,
    RecoveryShareChecksumWrong,
    RecoveryShareForeign,
    RecoveryShareMalformed,
    RecoverySharePlanMalformed,
    RecoveryShareRepeated,
    RecoverySharesInconsistent,
    RecoverySharesTooFew,
    RecoveryShareUnsupported,
    RecoveryShareWordUnknown,
    ShareGroup,
    combine_shares,
    parse_share,
    split_secret,
)
from wallet.errors import SeoulWalletError

SECRET = bytes(range(32))
FAMILY = [ShareGroup(2, 3)]


def text_of(share: RecoveryShare) -> str:
    return " ".join(share.words)


def family() -> tuple[RecoveryShare, ...]:
    return split_secret(SECRET, FAMILY)[0]


def resigned(share: RecoveryShare, **changes) -> RecoveryShare:
    """The share that a member makes who alters theirs and computes the checksum anew."""
    return parse_share(replace(share._share, **changes).mnemonic())


def test_any_two_of_three_give_the_secret_back():
    shares = family()
    assert {share.member for share in shares} == {1, 2, 3}
    for chosen in itertools.permutations(shares, 2):
        typed = [parse_share(text_of(share)) for share in chosen]
        assert combine_shares(typed) == SECRET
    assert combine_shares(shares) == SECRET


def test_groups_have_a_threshold_of_their_own():
    plan = [ShareGroup(1, 1), ShareGroup(2, 3), ShareGroup(3, 5)]
    self_, family_, friends = split_secret(SECRET, plan, group_threshold=2)
    assert combine_shares([*self_, *family_[:2]]) == SECRET
    assert combine_shares([*family_[1:], *friends[:3], *self_]) == SECRET
    with pytest.raises(RecoverySharesTooFew) as caught:
        combine_shares([*self_, family_[0]])
    assert caught.value.missing == {2: 1}
    assert caught.value.groups_missing == 1
    with pytest.raises(RecoverySharesTooFew) as caught:
        combine_shares([*friends])
    assert caught.value.missing == {}
    assert caught.value.groups_missing == 1


def test_a_share_is_33_words_read_in_any_case_and_space():
    share = family()[0]
    assert len(share.words) == 33
    assert parse_share("\n\t" + "  ".join(share.words).upper()) == share


def test_too_few_shares_say_how_many_are_missing():
    (shares,) = split_secret(SECRET, [ShareGroup(4, 5)])
    with pytest.raises(RecoverySharesTooFew) as caught:
        combine_shares(shares[:1])
    assert caught.value.missing == {1: 3}
    with pytest.raises(RecoverySharesTooFew):
        combine_shares([])


def test_one_share_twice_is_not_two():
    first, second, _ = family()
    with pytest.raises(RecoveryShareRepeated) as caught:
        combine_shares([first, parse_share(text_of(first))])
    assert caught.value.positions == (2,)
    with pytest.raises(RecoveryShareRepeated):
        combine_shares([first, second, second])


def test_a_share_of_another_set_is_named():
    first, second, third = family()
    with pytest.raises(RecoveryShareForeign) as caught:
        combine_shares([first, family()[1], third])
    assert caught.value.positions == (2,)
    assert combine_shares([first, second]) == SECRET


def test_an_altered_share_gives_no_secret():
    first, second, _ = family()
    forged = resigned(first, value=bytes([first._share.value[0] ^ 1]) + first._share.value[1:])
    with pytest.raises(RecoverySharesInconsistent):
        combine_shares([forged, second])
    with pytest.raises(RecoverySharesInconsistent):
        combine_shares([first, forged, second])
    with pytest.raises(RecoverySharesInconsistent):
        combine_shares([resigned(first, member_threshold=1), second])


def test_a_swapped_pair_is_told():
    words = list(family()[0].words)
    at = next(at for at in range(8, 32) if words[at] != words[at + 1])
    words[at : at + 2] = [words[at + 1], words[at]]
    with pytest.raises(RecoveryShareChecksumWrong) as caught:
        parse_share(" ".join(words))
    assert caught.value.perhaps_swapped == ((at + 1, at + 2),)


def test_every_single_wrong_word_is_found():
    words = family()[0].words
    for at in range(len(words)):
        other = "academic" if words[at] != "academic" else "acid"
        with pytest.raises(RecoveryShareChecksumWrong):
            parse_share(" ".join([*words[:at], other, *words[at + 1 :]]))


def test_an_unknown_word_is_named_with_the_nearest_and_not_in_the_message():
    words = list(family()[0].words)
    meant, words[4] = words[4], words[4] + "z"
    with pytest.raises(RecoveryShareWordUnknown) as caught:
        parse_share(" ".join(words))
    (unknown,) = caught.value.unknown
    assert unknown.position == 5
    assert meant in unknown.nearest
    assert meant not in str(caught.value) + repr(unknown)


@pytest.mark.parametrize("text", ["", "zoo", "academic " * 19, "academic " * 60])
def test_refuses_another_number_of_words(text):
    with pytest.raises(RecoveryShareMalformed):
        parse_share(text)


def test_refuses_a_long_text_before_reading_it():
    with pytest.raises(RecoveryShareMalformed):
        parse_share("a" * (MAX_SHARE_CHARACTERS + 1))


def test_refuses_a_share_that_costs_hours():
    with pytest.raises(RecoveryShareUnsupported):
        resigned(family()[0], iteration_exponent=15)


def test_refuses_a_secret_of_an_odd_length():
    with pytest.raises(RecoveryShareMalformed):
        resigned(family()[0], value=bytes(17))


@pytest.mark.parametrize(
    ("groups", "threshold"),
    [([], 1), (FAMILY, 0), (FAMILY, 2), ([ShareGroup(3, 2)], 1), ([ShareGroup(0, 2)], 1),
     ([ShareGroup(1, 3)], 1), ([ShareGroup(2, 17)], 1), (FAMILY * 17, 1)],
)  # fmt: skip
def test_refuses_a_plan_that_cannot_be(groups, threshold):
    with pytest.raises(RecoverySharePlanMalformed):
        split_secret(SECRET, groups, group_threshold=threshold)


def test_the_repr_holds_no_word():
    share = family()[0]
    assert not any(word in repr(share) for word in share.words[6:])


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from(["academic", "zero", "x"]), min_size=20).map(" ".join)
)
def test_any_text_is_a_share_or_a_typed_error(text):
    try:
        outcome = str(parse_share(text).set_id)
    except SeoulWalletError as error:
        outcome = error.code
    assert outcome.isdigit() or outcome.startswith("recovery_share_")
