"""`seoul-wallet demo`: the main job end to end on a local stack, and what must be refused.

`citizens` are the devices, `desk` the clients of the services, `lines` the table of expected and
happened; `issuing`, `refusing` and `outage` are the acts on a `scene`, `run` their order.
`seoul-wallet demo-phone`: `phone` is a phone in a process of its own, `phones` the story of two.
"""
