"""Live updates: one ordered, resumable stream per workspace, presence and typing.

Owns: nothing durable.
Publishes: nothing (presence goes over plain NATS).
Consumes: every event of identity, conversation and messaging.
Calls: identity, conversation, messaging (holes in their logs, JWKS).
"""
