"""The real servers, started and stopped by program: PostgreSQL, nats-server, Envoy."""

from suite.infra.nats import NatsServer, running_nats
from suite.infra.postgres import PostgresServer, running_postgres
from suite.infra.program import SuiteError

__all__ = ["NatsServer", "PostgresServer", "SuiteError", "running_nats", "running_postgres"]
