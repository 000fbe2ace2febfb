"""Bytes in, bytes out: base64url, multibase, strict JSON, JCS.

May import only `wallet.errors` and the codec libraries. Everything above calls it.
"""
