"""Programmes (versioned rules as data) and their evaluation: from facts to a decision. Pure.

`programme` and `catalogue` read programme files, `rule` and `clauses` evaluate them in
three-valued logic, `decision` is what comes out. The same code runs in a wallet, on the holder's
own credentials, and at a verifier, on what was disclosed. May import `protocols` and below; the
verifier, the holder and (for the evidence types) the issuer call it.
"""
