"""What the anchor contracts say, as values: accreditations, batches, status digests, receipts.

Pure: facts come in from a replica (`ports.AnchorReplica`); judgements go out. May import
`credentials` and below. `verification` decides with it, the issuer and the follower fill it.
"""
