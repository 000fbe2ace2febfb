"""The operators' tools: acts, audit, cost, receipts, bundles."""
