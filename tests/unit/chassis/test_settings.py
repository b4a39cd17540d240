"""A process says what is wrong with its settings, all at once, and never shows a secret."""

from __future__ import annotations

import pytest

from chassis import settings
from chassis.settings import (
    EXIT_BAD_SETTINGS,
    DatabaseSettings,
    IdentityClientSettings,
    MasterKey,
    NatsSettings,
    ServiceSettings,
    host_and_port,
    is_loopback,
    load,
    setting,
)

KEY = "service." + "k" * 40


class Everything(ServiceSettings, IdentityClientSettings, NatsSettings, DatabaseSettings):
    """One of each."""

    master_key: MasterKey = setting("a key", unit="base64")


GOOD = {
    "INBOX_SERVICE_KEY": KEY,
    "INBOX_IDENTITY_ADDRESS": "10.0.0.1:7102, 10.0.0.2:7102",
    "INBOX_NATS_URL": "nats://user:hidden@127.0.0.1:4222",
    "INBOX_DATABASE_URL": "postgresql://app:hidden@127.0.0.1/inbox_x",
    "INBOX_WORKER_DATABASE_URL": "postgresql://worker:hidden@127.0.0.1/inbox_x",
    "INBOX_MASTER_KEY": "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in Everything.model_fields:
        monkeypatch.delenv(f"INBOX_{name.upper()}", raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_good_settings_are_read_from_the_environment() -> None:
    loaded = load(Everything)

    assert loaded.identity_address == ("10.0.0.1:7102", "10.0.0.2:7102")
    assert loaded.listen == "127.0.0.1:0"
    assert "hidden" not in repr(loaded)


def test_an_empty_variable_counts_as_not_set(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("INBOX_LISTEN", "")

    assert load(Everything).listen == "127.0.0.1:0"


def test_every_bad_value_is_named_at_once_and_none_is_shown(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.delenv("INBOX_DATABASE_URL")
    environment.setenv("INBOX_SERVICE_KEY", "tooshortsecret")
    environment.setenv("INBOX_MASTER_KEY", "notakeysecret")
    environment.setenv("INBOX_NATS_URL", "http://urlsecret")
    environment.setenv("INBOX_LISTEN", "nonsense")
    environment.setenv("INBOX_IDENTITY_ADDRESS", "host")
    environment.setenv("INBOX_CALLS_PER_SECOND", "many")

    with pytest.raises(SystemExit) as ended:
        load(Everything)

    said = capsys.readouterr().err
    assert ended.value.code == EXIT_BAD_SETTINGS
    for name in (
        "INBOX_DATABASE_URL: is not set",
        "INBOX_SERVICE_KEY: must be service.<secret>",
        "INBOX_MASTER_KEY: must be the base64 of 32 random bytes",
        "INBOX_NATS_URL: must start with nats://",
        "INBOX_LISTEN: must be host:port",
        "INBOX_IDENTITY_ADDRESS: must be host:port",
        "INBOX_CALLS_PER_SECOND",
    ):
        assert name in said
    assert "secret" not in said.replace("service.<secret> with a secret of", "")


def test_help_lists_every_setting_with_its_unit_and_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        load(Everything, ["--help"])

    said = capsys.readouterr().out
    assert ended.value.code == 0
    for name in Everything.model_fields:
        assert f"INBOX_{name.upper()} " in said
    assert "hidden" not in said


def test_every_setting_says_what_it_means() -> None:
    for name, field in Everything.model_fields.items():
        assert field.description, name
        assert settings.unit_of(Everything, name), name


@pytest.mark.parametrize("address", ["127.0.0.1", ":7102", "host:", "host:x", "host:70000", ""])
def test_an_address_needs_host_and_port(address: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        host_and_port(address)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("db", False)],
)
def test_loopback_is_this_machine_only(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
