"""Benchmarks: each row is a ratio to a floor or a peer, measured round by round in one run."""
