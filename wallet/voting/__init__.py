"""Participatory-budget votes: secret, one per resident, recountable by anyone (docs/voting.md).

The pure core: no I/O, no clock; seeds and proofs draw from `secrets`. What is in the room:

- `manifest`, `manifest_rules`, `ballot_rules`, `outcome_rules`, `layout`, `strata`, `pabulib`:
  what is voted on, and how it is encoded
- `suite`, `dcp_suite`: encrypting and proving ballots, behind an interface
- `ballot`, `eligibility`, `casting`: one ballot, who may cast it, and how a wallet makes it
- `board`, `statements`, `acceptance`: the public log, signed statements, what is accepted
- `ceremony`, `ceremony_messages`, `trustee`: the election key and the trustees' secrets
- `aggregate`, `decryption`, `tally`, `tie_break`, `outcome`, `record`: from the closed log to the
  list of funded projects

It may import what stands below `wallet.voting` in the layers. The ballot box, the trustee's tool
and the resident's wallet call it. `mvote_verify` shares no line with it, on purpose.
"""
