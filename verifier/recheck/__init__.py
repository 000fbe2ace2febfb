"""After a grant: evidence is looked at again, and a change is told to the agency's own systems.

`worker` compares what is watched with the issuers' lists, `delivery` sends what it found,
`records` is the port to what is kept of both, `endpoints` where to send. No Flask, no adapters;
`verifier.app` composes it. What is sent names a receipt and nothing else.
"""
