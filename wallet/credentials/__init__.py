"""Credential formats and their proofs: JWS, SD-JWT VC, key binding.

May import `status`, `did`, `crypto`, `encoding`, `errors`. Knows nothing of trust, chains or
services; `verification`, the issuer and the holder call it.
"""
