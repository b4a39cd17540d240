"""The edge: browser WebSockets, Connect passthrough, webhooks, the built web client.

HTTP       `app` routes · `connect` calls forwarded by path (`methods`, `bodies`, `errors`) · `auth`
           the session's cookie (`sessions`, `origins`, `client_address`) · `webhooks` · `static`
           (`embedding`) · `simulator` · `health`
Sockets    `upgrade` the handshake · `session`, `visitor_session` state machines without I/O, whose
           `actions` are carried out by `connection` and by `agents` and `visitors` · `frames`,
           `encodings`, `wire` bytes · `close_codes` · `liveness` · `sweeper` time for all sockets
Streams    `hub` one Watch per workspace, one encoding per event (`hubs`) · `ring`, `positions` its
           memory · `catch_up` joining it · `rooms` what visitors may know · `sends`, `lane`
           batched sending · `presence`
Process    `process` wiring · `drain` · `jobs` · `upstream` channels to the services · `settings`

It owns no data: any process of it may be killed, and every client resumes at another.
"""
