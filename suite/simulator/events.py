"""What the platform tells a business's webhook, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chassis.ids import new_id

if TYPE_CHECKING:
    from suite.simulator.platform import PlatformMessage


def customer_wrote(message: PlatformMessage, name: str) -> dict[str, Any]:
    """A customer wrote, or sent what is no text."""
    said: dict[str, Any] = {"text": {"body": message.text}}
    if message.kind != "text":
        said = {"kind": message.kind, message.kind: message.details}
    return {
        "type": "message",
        "id": f"evt.{new_id()}",
        "message_id": message.id,
        "from": {"id": message.customer_id, "name": name},
        **said,
        "time": message.time,
    }


def business_wrote(message: PlatformMessage, app: str, *, with_mark: bool) -> dict[str, Any]:
    """An echo: the business itself wrote, in that app."""
    event: dict[str, Any] = {
        "type": "echo",
        "id": f"evt.{new_id()}",
        "app": app,
        "message_id": message.id,
        "to": message.customer_id,
        "text": {"body": message.text},
        "time": message.time,
    }
    if with_mark and message.callback_data:
        event["callback_data"] = message.callback_data
    return event


def reached(
    message: PlatformMessage, state: str, time: str, *, error_code: str, with_mark: bool
) -> dict[str, Any]:
    """A message of the business reached a state."""
    event: dict[str, Any] = {
        "type": "status",
        "id": f"evt.{new_id()}",
        "message_id": message.id,
        "to": message.customer_id,
        "status": state,
        "time": time,
    }
    if with_mark:
        event["callback_data"] = message.callback_data
    if error_code:
        event["error"] = {"code": error_code}
    return event
