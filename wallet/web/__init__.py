"""Flask glue that the services share: problem details, body limits, schema base, request ids.

May import Flask, marshmallow and the core; no adapters, no service. The `api` packages of the
services use it.
"""
