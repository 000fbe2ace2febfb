"""서울패스: an OpenID Provider before the verifier; whoever holds the account logs in with it.

`settings` are the relying parties, `request` reads what they ask in the browser, `clients`
authenticates them, `tokens` says what they are told, `provider` has the use cases. A login is a
presentation like any other, made for oneself alone; what is between its steps lies in the session
store, so several processes over one database are one provider. No Flask types and no adapters;
`verifier.app` composes it, `verifier.pages.login` and `verifier.api.oidc` are its HTTP.
"""
