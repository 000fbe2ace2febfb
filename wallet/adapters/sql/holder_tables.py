"""The tables of a holder's store: digests, numbers and ciphertext, nothing that can be read."""

from typing import Final

from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table

metadata: Final = MetaData()

# How the store key is wrapped. One row, id 1.
header: Final = Table(
    "holder_header",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("format", Integer, nullable=False),
    Column("memory_kib", Integer, nullable=False),
    Column("time", Integer, nullable=False),
    Column("lanes", Integer, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("checksum", LargeBinary, nullable=False),
)

# What records there must be, sealed. One row, id 1.
manifest: Final = Table(
    "holder_manifest",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("counter", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

record: Final = Table(
    "holder_record",
    metadata,
    Column("record_digest", LargeBinary, primary_key=True),
    Column("kind_digest", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
