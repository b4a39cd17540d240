"""Messages, their order, and how far each one got.

Owns: threads, messages, delivery attempts, receipts, the mode of a conversation, channels,
and which message has which word.
Publishes: thread_opened, message_created, delivery_status_changed, mode_changed, channel_changed,
thread_erased.
Consumes: nothing.
Calls: identity (visitors' tokens, JWKS), media (files that messages carry).
"""
