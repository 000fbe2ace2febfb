"""What was used lately is kept, up to a limit."""

from __future__ import annotations

from wallet.recent import RecentlyUsed


def sized() -> RecentlyUsed[str, bytes]:
    return RecentlyUsed(100, len)


def test_what_was_not_used_for_longest_goes_first() -> None:
    kept: RecentlyUsed[int, str] = RecentlyUsed(2)
    kept.put(1, "one")
    kept.put(2, "two")
    assert kept.get(1) == "one"
    kept.put(3, "three")
    assert [kept.get(key) for key in (1, 2, 3)] == ["one", None, "three"]


def test_sizes_add_up_and_a_value_in_place_of_another_counts_once() -> None:
    kept = sized()
    for _ in range(3):
        kept.put("one", bytes(50))
    kept.put("two", bytes(50))
    assert kept.get("one") == bytes(50)
    kept.put("two", bytes(51))
    assert kept.get("one") is None
    assert kept.get("two") == bytes(51)


def test_a_value_over_the_limit_is_not_kept_and_drives_nothing_out() -> None:
    kept = sized()
    kept.put("one", bytes(60))
    kept.put("big", bytes(101))
    assert kept.get("big") is None
    assert kept.get("one") == bytes(60)
    kept.put("one", bytes(101))
    assert kept.get("one") is None
    kept.put("two", bytes(100))
    assert kept.get("two") == bytes(100)


def test_what_is_dropped_is_gone_and_makes_room() -> None:
    kept = sized()
    kept.put("one", bytes(60))
    kept.drop("one")
    kept.drop("never kept")
    kept.put("two", bytes(40))
    kept.put("three", bytes(60))
    kept.drop_where(lambda value: len(value) == 60)
    assert [kept.get(key) for key in ("one", "two", "three")] == [None, bytes(40), None]
    kept.put("four", bytes(60))
    assert kept.get("two") == bytes(40)
