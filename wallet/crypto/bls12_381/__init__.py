"""The pairing-friendly curve BLS12-381: points, multi-scalar multiplication, pairing product.

`backend` names what an implementation must do, `arkworks` is the one in use (Rust), `reference`
is pure Python and hundreds of times slower: the oracle of the tests. Both give the same bytes.
`hashing` has RFC 9380 on top of either. May import `wallet.errors` and the curve libraries;
`wallet.crypto.bbs` calls it. Neither backend runs in constant time.
"""
