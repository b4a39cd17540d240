"""Settings: read once from INBOX_ variables, checked together, explained by themselves.

A process names every bad value at once, in plain words, and never prints a secret. Each field says
its type, unit, default and meaning; `--help` and the documentation are made from that.
"""

from __future__ import annotations

import base64
import ipaddress
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "INBOX_"
EXIT_BAD_SETTINGS = 78
"""EX_CONFIG: a supervisor need not try again before somebody changed something."""
MAX_PORT = 65535
MASTER_KEY_BYTES = 32


def host_and_port(address: str) -> tuple[str, int]:
    """Split `host:port`, also `[::1]:7102`. Raises: ValueError."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > MAX_PORT:
        raise ValueError("must be host:port, for example 127.0.0.1:7102")
    return host.strip("[]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_address(address: str) -> str:
    host_and_port(address)
    return address


def _check_optional_address(address: str) -> str:
    return _check_address(address) if address else address


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _check_addresses(addresses: tuple[str, ...]) -> tuple[str, ...]:
    if not addresses:
        raise ValueError("needs at least one host:port")
    for address in addresses:
        host_and_port(address)
    return addresses


def _check_scheme(*schemes: str) -> Callable[[SecretStr], SecretStr]:
    def check(url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(f"must start with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return url

    return check


def _check_service_key(key: SecretStr) -> SecretStr:
    for part in key.get_secret_value().split(","):
        if not part.strip().startswith("service.") or len(part.strip()) < len("service.") + 32:
            raise ValueError("must be service.<secret> with a secret of at least 32 characters")
    return key


def _check_master_key(key: SecretStr) -> SecretStr:
    for part in key.get_secret_value().split(","):
        try:
            size = len(base64.b64decode(part.strip(), validate=True))
        except ValueError:
            size = 0
        if size != MASTER_KEY_BYTES:
            raise ValueError("must be the base64 of 32 random bytes")
    return key


Address = Annotated[str, AfterValidator(_check_address)]
"""`host:port`."""
OptionalAddress = Annotated[str, AfterValidator(_check_optional_address)]
"""`host:port`, or empty for off."""
Addresses = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_check_addresses)
]
"""`host:port` list, comma separated."""
PostgresUrl = Annotated[SecretStr, AfterValidator(_check_scheme("postgresql"))]
NatsUrl = Annotated[SecretStr, AfterValidator(_check_scheme("nats", "tls"))]
ServiceKey = Annotated[SecretStr, AfterValidator(_check_service_key)]
MasterKey = Annotated[SecretStr, AfterValidator(_check_master_key)]


def setting(description: str, *, default: Any = PydanticUndefined, unit: str = "text") -> Any:
    """Declare a field: what it means, its unit, its default (required without one)."""
    return Field(default=default, description=description, json_schema_extra={"unit": unit})


class Settings(BaseSettings):
    """What every process has; each kind of process adds its own."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True
    )

    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "least important log lines that are written", default="info"
    )
    metrics_listen: OptionalAddress = setting(
        "address of the Prometheus text; empty is off", default="", unit="host:port"
    )
    trusted_network: bool = setting(
        "allow listening beyond loopback without mTLS", default=False, unit="0 or 1"
    )
    service_key: ServiceKey = setting(
        "credential the suite's processes show each other, service.<secret>; during a change the "
        "new one first, then the old one, comma separated",
        unit="secret",
    )


class TlsSettings(Settings):
    """Mutual TLS between processes: all three files or none."""

    tls_certificate_file: Path | None = setting("own certificate chain", default=None, unit="PEM")
    tls_key_file: Path | None = setting("own private key", default=None, unit="PEM")
    tls_authority_file: Path | None = setting(
        "authority that peers' certificates must come from", default=None, unit="PEM"
    )


class ServiceSettings(TlsSettings):
    """A process that serves gRPC."""

    listen: Address = setting(
        "gRPC listen address; port 0 picks a free one", default="127.0.0.1:0", unit="host:port"
    )
    calls_per_second: int = setting(
        "calls of one method by one caller, sustained", default=500, unit="1/s"
    )
    calls_burst: int = setting("calls of one method by one caller, at once", default=1000, unit="1")


class IdentityClientSettings(Settings):
    """A process that asks identity about credentials: all but identity itself."""

    identity_address: Addresses = setting("identity's replicas", unit="host:port list")


class NatsSettings(Settings):
    """A process that uses NATS."""

    nats_url: NatsUrl = setting("NATS server, nats://[user:password@]host:port", unit="URL")
    nats_monitor_url: str = setting(
        "NATS's monitoring port, http://host:8222, where it says whether it syncs every write; "
        "empty where that is known",
        default="",
        unit="URL",
    )


class DatabaseSettings(Settings):
    """A process with data."""

    database_url: PostgresUrl = setting("own database as the role that serves requests", unit="URL")
    worker_database_url: PostgresUrl = setting(
        "own database as the role of background work", unit="URL"
    )
    database_pool_size: int = setting(
        "connections per role that this process keeps at most; half as many again only read",
        default=8,
        unit="1",
    )


Kind = TypeVar("Kind", bound=Settings)


def load(kind: type[Kind], arguments: Sequence[str] = ()) -> Kind:
    """The settings of this process; ends it, naming every bad value, when they cannot be used."""
    if "--help" in arguments or "-h" in arguments:
        sys.stdout.write(listing(kind))
        sys.exit(0)
    if arguments:
        sys.stderr.write(f"unknown argument {arguments[0]}; settings are {PREFIX} variables\n")
        sys.exit(EXIT_BAD_SETTINGS)
    try:
        return kind()
    except ValidationError as error:
        sys.stderr.write(complaint(error))
        sys.exit(EXIT_BAD_SETTINGS)


def complaint(error: ValidationError) -> str:
    """Every bad value in plain words, without the values: one of them may be a secret."""
    lines = ["cannot start, these settings need a hand (--help lists them all):"]
    for fault in error.errors(include_input=False, include_url=False):
        name = PREFIX + str(fault["loc"][0] if fault["loc"] else "").upper()
        said = fault["msg"].removeprefix("Value error, ")
        lines.append(f"  {name}: {'is not set' if fault['type'] == 'missing' else said}")
    return "\n".join(lines) + "\n"


def listing(kind: type[Settings]) -> str:
    """Every setting with unit, default and meaning, one per line."""
    rows = [
        (PREFIX + name.upper(), unit_of(kind, name), default_of(kind, name), field.description)
        for name, field in sorted(kind.model_fields.items())
    ]
    widths = [max(len(str(row[column])) for row in rows) for column in range(3)]
    return "".join(
        f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:<{widths[2]}}  {row[3]}\n"
        for row in rows
    )


def unit_of(kind: type[Settings], name: str) -> str:
    """The unit a field is given in."""
    extra = kind.model_fields[name].json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def default_of(kind: type[Settings], name: str) -> str:
    """A field's default as it would be written."""
    field = kind.model_fields[name]
    if field.is_required():
        return "required"
    if isinstance(field.default, bool):
        return str(int(field.default))
    return "(none)" if field.default in {None, ()} else str(field.default) or "(none)"
