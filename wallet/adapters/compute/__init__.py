"""Bulk work: a pool of processes on this machine, and a Dask cluster. Both are `ports.Compute`.

`distributed` is an optional extra (`cluster`); only the module `dask` here imports it.
"""
