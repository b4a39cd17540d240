"""Whether NATS writes to disk before it acknowledges.

No promise of ours rests on a JetStream acknowledgement: a log that lost its tail in a power cut is
written again from Postgres. But a NATS that syncs now and then would lose that tail *and* go on
acknowledging, so readers would meet it as a stream that went back. The setting is not visible to
a client; the server's monitoring port tells it (INBOX_NATS_MONITOR_URL). Without that address it is
up to whoever runs NATS: `./dev` and the compose file write `sync_interval: always` themselves.
"""

from __future__ import annotations

from datetime import timedelta

import httpx2

from chassis.bus_faults import WrongServer

ANSWER_WITHIN = timedelta(seconds=3)


async def check_synced(monitor_url: str) -> None:
    """Ask a NATS server's monitoring port. Raises: WrongServer, OSError."""
    try:
        async with httpx2.AsyncClient(timeout=ANSWER_WITHIN.total_seconds()) as client:
            answer = await client.get(f"{monitor_url.rstrip('/')}/varz")
            told = answer.json()
    except (httpx2.HTTPError, ValueError) as error:
        raise OSError(f"no answer from NATS monitoring: {type(error).__name__}") from error
    config = (told.get("jetstream") or {}).get("config") or {}
    if not config.get("sync_always"):
        raise WrongServer(
            "nats-server does not sync every write: set `jetstream { sync_interval: always }`"
        )
