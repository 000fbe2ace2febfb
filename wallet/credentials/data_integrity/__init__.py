"""Data Integrity proofs (Verifiable Credential Data Integrity 1.0): make, chain and verify.

The machinery that all cryptosuites share; the suites themselves are values in `cryptosuites`.
Pure: the DID documents and the time are arguments. `verification`, issuers and holders call it.
"""
