"""Mutual TLS between processes, and the refusal to listen openly without it."""

from __future__ import annotations

import grpc

from chassis.errors import CannotStart
from chassis.settings import TlsSettings, host_and_port, is_loopback


class NotPrivate(CannotStart):
    """The settings would open a service to a network nobody vouched for."""


def server_credentials(settings: TlsSettings) -> grpc.ServerCredentials | None:
    """What a server shows and demands; None without TLS. Raises: NotPrivate, OSError."""
    files = _files(settings)
    if files is None:
        return None
    authority, key, certificate = files
    return grpc.ssl_server_credentials(
        [(key, certificate)], root_certificates=authority, require_client_auth=True
    )


def channel_credentials(settings: TlsSettings) -> grpc.ChannelCredentials | None:
    """What a client shows and demands; None without TLS. Raises: NotPrivate, OSError."""
    files = _files(settings)
    return None if files is None else grpc.ssl_channel_credentials(*files)


def refuse_open_network(listen: str, settings: TlsSettings) -> None:
    """Beyond loopback there must be TLS, or a promise that the network is private.

    Raises: NotPrivate.
    """
    host, _ = host_and_port(listen)
    if is_loopback(host) or settings.trusted_network or _files(settings) is not None:
        return
    raise NotPrivate(
        f"{listen} is beyond loopback: set INBOX_TLS_CERTIFICATE_FILE, INBOX_TLS_KEY_FILE and "
        "INBOX_TLS_AUTHORITY_FILE, or INBOX_TRUSTED_NETWORK=1 if that network is private"
    )


def _files(settings: TlsSettings) -> tuple[bytes, bytes, bytes] | None:
    given = (
        settings.tls_authority_file,
        settings.tls_key_file,
        settings.tls_certificate_file,
    )
    present = [path for path in given if path is not None]
    if not present:
        return None
    if len(present) < len(given):
        raise NotPrivate("TLS needs all of certificate, key and authority file, or none of them")
    authority, key, certificate = (path.read_bytes() for path in present)
    return authority, key, certificate
