"""The structure of credentials and presentations (VC Data Model 2.0 §4; 1.1 as input).

Structure only: no signature, no key, no clock. May import `encoding`, `errors`; proofs and
envelopes call it before they verify, and issuers before they sign.
"""
