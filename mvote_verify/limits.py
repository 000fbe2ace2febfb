"""What a record may ask of this machine, each limit by name."""

MAX_JSON_BYTES = 8 << 20
"""One JSON document, and one line of a `.ndjson` file (section 14)."""
MAX_ENTRY_BYTES = 512 << 10
"""One entry of the log (section 14)."""
MAX_ENTRIES = 1 << 24
"""Entries of the log: what fits into the memory of a desktop, below the 2^32 of section 14."""
MAX_CHECKPOINT_BYTES = 2 << 30
"""The file of the checkpoints: one every five seconds through 92 days."""
MAX_CHECKPOINTS = 2_000_000
MAX_INTEGER = (1 << 53) - 1
MAX_FRACTION_CHARACTERS = 4_000
MAX_GIVEN_DIGITS = 30
"""Of weights and thresholds, which the organiser chose."""
MAX_FRACTION_BITS = 13_000
"""Numerator and denominator of a score; below what Python writes in decimal."""
MAX_STRATA = 64
MAX_SCHEDULED_CHECKPOINTS = 1_000_000
"""What opening, close, grace and period of a manifest come to."""
MAX_DENOMINATOR_BITS = 4_096
"""Of the common denominator of all weights."""
MAX_JSON_DEPTH = 32
MAX_NAMED = 20
"""Places that a report names when a check fails in many."""
MAX_SHARES = 256
"""In `shares.json`; 32 trustees, some of whom sent more than one."""
MAX_RPC_BYTES = 32 << 20
MAX_RPC_SECONDS = 20
LOG_BLOCK_RANGE = 5_000
"""Blocks asked of a node in one question for events."""
MAX_LOG_QUESTIONS = 20_000
MAX_WORKERS = 256
CHUNK_BALLOTS = 250
"""Unless told: what a worker verifies at once, and what a resumed run is spared."""
MAX_CHUNK_BALLOTS = 10_000
DASK_TIMEOUT_S = 10
MAX_RESUME_BYTES = 4 << 30
