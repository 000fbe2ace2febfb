"""One benefit per person: which nullifiers have drawn what, at this agency.

`records` is the port to what is kept, `counting` turns an eligible decision into a claim, asks the
register of a group where the programme has one, and takes back what came to nothing. No Flask
types and no adapters; `verifier.app` composes it, `verifier.eligibility` calls it.
"""
