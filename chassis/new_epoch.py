"""A new life for the log of a restored database.

    python -m chassis.new_epoch <service>

with INBOX_WORKER_DATABASE_URL and INBOX_NATS_URL, while the service is stopped and after its
database was restored. Positions given after the backup was taken stand for other events now, so
everything that remembers a position must notice: consumers rebuild, clients load a snapshot.
`./dev restore` does this for every service.
"""

from __future__ import annotations

import asyncio
import sys

from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.bus import Bus, BusUnavailable
from chassis.database import Database, DatabaseUnavailable
from chassis.settings import PREFIX, NatsUrl, PostgresUrl, setting
from chassis.stream import EventStream, StreamRefused
from chassis.tasks import Supervisor

CONNECT_SECONDS = 15.0


class Settings(BaseSettings):
    """Where the restored database and the old stream are."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", env_ignore_empty=True)

    worker_database_url: PostgresUrl = setting("the restored database, worker role", unit="URL")
    nats_url: NatsUrl = setting("NATS server that holds the old stream", unit="URL")


async def begin_epoch(database: Database, stream: EventStream) -> str:
    """Begin a new life; returns its name. A repeat begins another one, which does no harm.

    Raises: DatabaseUnavailable, BusUnavailable, StreamRefused.
    """
    async with database.begin() as transaction:
        log_epoch: str = await transaction.raw.fetchval(
            "UPDATE log_state SET log_epoch = gen_random_uuid()::text RETURNING log_epoch"
        )
    # Should this fail, the relay refuses the old stream by name until it is done.
    await stream.delete()
    return log_epoch


async def run(service: str, settings: Settings) -> str:
    """Begin a new life for a service's log."""
    database = Database(settings.worker_database_url.get_secret_value(), pool_size=1)
    bus = Bus(settings.nats_url.get_secret_value(), name="new-epoch")
    async with Supervisor() as supervisor:
        supervisor.supervise("bus", bus.run)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await bus.wait_connected()
            return await begin_epoch(database, EventStream(bus, f"INBOX_{service.upper()}"))
        finally:
            await database.close()


def main(arguments: list[str]) -> None:
    """Begin a new life for the service named on the command line."""
    if len(arguments) != 1 or not arguments[0].isidentifier():
        sys.exit("usage: python -m chassis.new_epoch <service>")
    try:
        log_epoch = asyncio.run(run(arguments[0], Settings()))
    except (DatabaseUnavailable, BusUnavailable, StreamRefused, TimeoutError) as fault:
        sys.exit(f"{arguments[0]}: {fault or type(fault).__name__}")
    sys.stdout.write(f"{arguments[0]} has the log epoch {log_epoch}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
