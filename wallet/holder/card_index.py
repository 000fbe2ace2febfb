"""Which cards may answer a query, without reading all of them.

For each card the index has its format, its types and whether it is delegated, by the opaque name
and the version of its record in the store; what does not agree with the store is read anew,
so an index that is old or gone costs time and nothing else. It is kept in the store itself, as
ciphertext like the rest, in parts by name, and written when the wallet is closed: no review and no
presentation waits for it.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from struct import Struct
from struct import error as StructError
from typing import Final, NamedTuple

from wallet.credentials.delegation import DELEGATION_TYPE
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import SeoulWalletError
from wallet.holder.cards import HeldCredential, HeldCredentials, held_from_record
from wallet.holder.presentables import presentable
from wallet.ports.holder import Put, RecordStore, StoreDamaged, StoreFull, StoreUnavailable
from wallet.protocols.dcql import CredentialQuery, DcqlQuery

KIND: Final = "card_index"
CARD_KIND: Final = "credential"
PARTS: Final = 16
# An opaque name and a version.
_ENTRY: Final = Struct(">32sQ")
# Below this, reading every card takes less than an index is worth.
MIN_CARDS_KEPT: Final = 256


class Shape(NamedTuple):
    """What of a card decides whether a query can be about it."""

    format: str
    types: frozenset[str]
    is_delegated: bool

    def may_answer(self, query: CredentialQuery) -> bool:
        """Whether a card like this can answer; its claims and dates are not looked at."""
        if self.is_delegated and DELEGATION_TYPE in query.vct_values:
            return True
        return query.format == self.format and query.accepts_type(self.types)


class CardIndex:
    """The index over the cards of one store."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._versions: dict[bytes, int] = {}
        self._shapes: dict[bytes, Shape] = {}
        self._by_shape: defaultdict[Shape, set[bytes]] = defaultdict(set)
        self._changed: set[int] = set()
        self._is_loaded = False

    def answering(self, query: DcqlQuery) -> tuple[HeldCredential, ...]:
        """Return the cards of the formats and types that `query` asks for, the oldest first.

        Raises what the store raises.
        """
        self._refresh()
        names = [
            name
            for shape, those in self._by_shape.items()
            if any(shape.may_answer(item) for item in query.credentials.values())
            for name in those
        ]
        found = [held_from_record(record) for record in self._records.read(CARD_KIND, names)]
        return tuple(sorted(found, key=HeldCredentials.age))

    def keep(self) -> None:
        """Write down what changed, if there are enough cards; not if the store is full or busy.

        Raises `StoreDamaged`.
        """
        if not self._changed or len(self._versions) < MIN_CARDS_KEPT:
            return
        with suppress(StoreFull, StoreUnavailable):
            self._records.write(*(self._put(part) for part in sorted(self._changed)))
            self._changed.clear()

    def _refresh(self) -> None:
        if not self._is_loaded:
            self._load()
        there = self._records.stamps(CARD_KIND)
        if there == self._versions:
            return
        for name in self._versions.keys() - there.keys():
            self._forget(name)
        new = [name for name, version in there.items() if self._versions.get(name) != version]
        # Between the two looks at the store another process may have written: then a record's
        # version is the newer one, and the next refresh has nothing to do.
        records = self._records.read(CARD_KIND, new)
        for name, record in zip(new, records, strict=True):
            held = held_from_record(record)
            types = presentable(held).candidate().types
            self._note(name, record.version, Shape(held.format, types, bool(held.delegation)))
            self._changed.add(_part_of(name))

    def _note(self, name: bytes, version: int, shape: Shape) -> None:
        if name in self._shapes:
            self._forget(name)
        self._versions[name], self._shapes[name] = version, shape
        self._by_shape[shape].add(name)

    def _forget(self, name: bytes) -> None:
        del self._versions[name]
        shape = self._shapes.pop(name)
        self._by_shape[shape].discard(name)
        if not self._by_shape[shape]:
            del self._by_shape[shape]
        self._changed.add(_part_of(name))

    def _load(self) -> None:
        for record in self._records.list(KIND):
            # The store vouches for the bytes, so a failure here means another program wrote them.
            try:
                self._take(parse_json_object(record.payload))
            except (KeyError, TypeError, ValueError, StructError, SeoulWalletError) as error:
                raise StoreDamaged("the stored index of cards cannot be read") from error
        self._is_loaded = True

    def _take(self, value: JsonObject) -> None:
        for format_, types, is_delegated, packed in value["shapes"]:
            shape = Shape(format_, frozenset(types), is_delegated)
            versions = dict(_ENTRY.iter_unpack(base64url.decode(packed)))
            self._versions.update(versions)
            self._shapes.update(dict.fromkeys(versions, shape))
            self._by_shape[shape].update(versions)

    def _put(self, part: int) -> Put:
        listed = []
        for shape, names in self._by_shape.items():
            those = [name for name in names if _part_of(name) == part]
            packed = b"".join(_ENTRY.pack(name, self._versions[name]) for name in those)
            if those:
                encoded = base64url.encode(packed)
                listed.append([shape.format, sorted(shape.types), shape.is_delegated, encoded])
        return Put(KIND, str(part), to_json({"shapes": listed}))


def _part_of(name: bytes) -> int:
    return name[0] % PARTS
