"""Bulk decisions: an agency's applications by the hundred thousand, through the compute port.

`records` is the port to what is kept, `application` reads a line, `facts` and `work` are the two
phases of deciding (facts are collected here, the work is done elsewhere), `runner` joins them and
`desk` is what the API calls. No Flask types and no adapters; `verifier.app` composes it.
"""
