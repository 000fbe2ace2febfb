"""The anchor contracts on an EVM chain; the only package that imports web3.

`node` connects, `reader`, `writer` and `authority` speak to the contracts, `follower` copies
finalized facts into a replica, `development` is the chain of a machine that has none. No web3 type
leaves this package. Verification never calls it.
"""
