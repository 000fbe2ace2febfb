"""Keys, hashing and the Merkle tree: the hazardous layer, algorithms named by the caller.

May import `wallet.encoding`, `wallet.errors` and the crypto libraries. `did`, `credentials` and
`trust` call it; application code should use those instead.
"""
