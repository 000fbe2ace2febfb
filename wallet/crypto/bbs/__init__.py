"""BBS signatures: many messages signed at once, any of them shown, each proof unlinkable.

- `suite`: the ciphersuites with the backend that computes them, and what they cache
- `types`: keys, signatures and proofs, with their parsers
- `signatures`: KeyGen, Sign, Verify; `proofs`: ProofGen, ProofVerify; `batch`: many proofs
- `nym_issuance`, `nym_proofs`: blind issuance with a pseudonym secret, proofs with a pseudonym
- `registered_nym`: our own extension that ties re-issuance to the same pseudonyms

Specifications pinned: draft-irtf-cfrg-bbs-signatures-09 with the fixtures of
decentralized-identity/bbs-signature at a6a445d (2025-07-07);
draft-irtf-cfrg-bbs-per-verifier-linkability with the fixtures of its repository at fcbba956
(2026-06-29), and the blind issuance that those fixtures imply. These are drafts: nothing made
here is promised to verify under a later text. Randomness comes from `secrets`. Secret scalars
are not handled in constant time. May import `wallet.crypto` and `wallet.errors`.
"""
