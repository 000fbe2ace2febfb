"""The issuer over HTTP: blueprints built from the service, and the tables of wire errors.

May import Flask, `wallet.web` and the service; no adapters. Nothing is looked up globally: each
blueprint is made by a function that is given what it needs.
"""
