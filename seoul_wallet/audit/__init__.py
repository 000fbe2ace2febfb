"""The audit: everything that the contracts say, recomputed from genesis and compared.

`replay` runs the contracts' rules over their own events, `views` asks the contracts, `replicas`
and `issuer_records` read local databases, `run` puts the checks in order. Only reads. The command
`seoul-wallet anchor audit` calls it.
"""
