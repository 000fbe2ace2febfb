"""The register of exclusion groups: answers yes or no, and knows nothing else about anybody.

It is a service of its own, not a part of any agency's verifier: an agency that kept it could join
its applicants with those of all others. `desk` is its use case, `records` the port to what is
kept, `api` is HTTP, `client` what an agency's verifier calls it with. No adapters;
`verifier.register_app` composes it.

It keeps, for every claim, which agency made it, in which group and period, and the person's
pseudonym there. So it can tell that two claims in one group and period are one person's, and which
agencies made them; it knows no name, no attribute and no programme, and nothing across periods or
groups. Together with an agency it can find that agency's application of a claim.
"""
