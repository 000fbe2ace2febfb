"""Bulk decisions: an agency's applications by the hundred thousand, through the compute port.

`records` is the port to what is kept, `application` reads a line, `work` decides on lines wherever
the compute port runs it, `facts` finds what it lacks (the sources are asked here alone), `runner`
hands out and keeps, and `desk` is what the API calls. No Flask types and no adapters;
`verifier.app` composes it.
"""
