"""The verifier's HTTP interface: one blueprint for agencies, one for wallets, one for operators.

Blueprints are built by functions that receive the service. May import `wallet.web` and the
service; no adapters. `verifier.app` calls `create_app`.
"""
