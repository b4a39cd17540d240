"""The edge: browser WebSockets, Connect passthrough, webhooks, the built web client."""
