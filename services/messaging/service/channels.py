"""ChannelService: channels and their connections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chassis import paging, requests
from chassis.auth import require_caller
from chassis.errors import FieldInvalid
from chassis.ids import parse_id
from chassis.rpc import Context
from inbox.messaging import v1
from services.messaging.actions import channels as actions
from services.messaging.actions import dead_webhooks, webhooks
from services.messaging.actions.channels import ChannelDesk
from services.messaging.actions.webhooks import IntakeDesk
from services.messaging.mapping.channels import (
    CHANNEL_KINDS_BACK,
    channel_to_proto,
    credentials_from_proto,
    settings_from_proto,
)
from services.messaging.mapping.webhooks import dead_webhook_to_proto
from services.messaging.model.channel import ChannelKind
from services.messaging.model.webhook import DeadWebhookId

LIST_QUERY = ("ListChannels",)
MAX_RAW_PAGE = 3
"""Each may have 1 MiB, and a message at most 4."""


@dataclass(frozen=True, slots=True)
class ChannelMeans:
    """What the servicer works with."""

    desk: ChannelDesk
    intake: IntakeDesk
    wake_webhooks: Callable[[], None]


class ChannelService(v1.ChannelServiceServicer):
    """Channels and their connections."""

    def __init__(self, means: ChannelMeans) -> None:
        self._means = means

    async def CreateChannel(
        self, request: v1.CreateChannelRequest, context: Context
    ) -> v1.CreateChannelResponse:
        """Creates and connects a channel."""
        channel = await actions.create_channel(
            self._means.desk,
            require_caller(),
            request_id=parse_id("request_id", request.request_id),
            kind=_kind_from("kind", request.kind),
            display_name=requests.text("display_name", request.display_name),
            settings=settings_from_proto(request),
            credentials=credentials_from_proto(request.credentials),
        )
        return v1.CreateChannelResponse(channel=channel_to_proto(channel))

    async def GetChannel(
        self, request: v1.GetChannelRequest, context: Context
    ) -> v1.GetChannelResponse:
        """Gets one channel."""
        channel = await actions.get_channel(
            self._means.desk, require_caller(), parse_id("channel_id", request.channel_id)
        )
        return v1.GetChannelResponse(channel=channel_to_proto(channel))

    async def ListChannels(
        self, request: v1.ListChannelsRequest, context: Context
    ) -> v1.ListChannelsResponse:
        """Lists the workspace's channels."""
        limit = requests.page_size(request.page_size)
        after = paging.position_in(
            request.page_token, LIST_QUERY, (_time_of, lambda text: parse_id("page_token", text))
        )
        channels = await actions.list_channels(
            self._means.desk,
            require_caller(),
            after=None if after is None else (after[0], after[1]),
            limit=limit + 1,
        )
        page = channels[:limit]
        token = ""
        if len(channels) > limit:
            last = page[-1]
            token = paging.next_token(LIST_QUERY, (last.create_time.isoformat(), last.id))
        return v1.ListChannelsResponse(channels=map(channel_to_proto, page), next_page_token=token)

    async def UpdateChannel(
        self, request: v1.UpdateChannelRequest, context: Context
    ) -> v1.UpdateChannelResponse:
        """Changes a channel; new credentials connect it again."""
        name = request.display_name
        channel = await actions.update_channel(
            self._means.desk,
            require_caller(),
            channel_id=parse_id("channel_id", request.channel_id),
            display_name=requests.text("display_name", name) if name else "",
            settings=settings_from_proto(request),
            credentials=(
                credentials_from_proto(request.credentials)
                if request.HasField("credentials")
                else None
            ),
            expected_version=_not_negative("expected_version", request.expected_version),
        )
        return v1.UpdateChannelResponse(channel=channel_to_proto(channel))

    async def DisconnectChannel(
        self, request: v1.DisconnectChannelRequest, context: Context
    ) -> v1.DisconnectChannelResponse:
        """Stops a channel; its conversations stay."""
        channel = await actions.disconnect_channel(
            self._means.desk, require_caller(), parse_id("channel_id", request.channel_id)
        )
        return v1.DisconnectChannelResponse(channel=channel_to_proto(channel))

    async def TestChannel(
        self, request: v1.TestChannelRequest, context: Context
    ) -> v1.TestChannelResponse:
        """Asks the platform whether our credential works, and sets the state by the answer."""
        check, channel = await actions.test_channel(
            self._means.desk, require_caller(), parse_id("channel_id", request.channel_id)
        )
        return v1.TestChannelResponse(
            is_working=check.is_working, detail=check.detail, channel=channel_to_proto(channel)
        )

    async def IngestWebhook(
        self, request: v1.IngestWebhookRequest, context: Context
    ) -> v1.IngestWebhookResponse:
        """Stores a platform's webhook call; it is processed afterwards, in order per contact."""
        replayed = await webhooks.ingest_webhook(
            self._means.intake,
            kind=_kind_from("channel_kind", request.channel_kind),
            channel_id=parse_id("channel_id", request.channel_id),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=request.body,
            method=request.method,
        )
        self._means.wake_webhooks()
        return v1.IngestWebhookResponse(replayed=replayed)

    async def ListDeadWebhooks(
        self, request: v1.ListDeadWebhooksRequest, context: Context
    ) -> v1.ListDeadWebhooksResponse:
        """Lists platforms' calls, and items of them, that could not be processed."""
        limit = requests.page_size(request.page_size)
        if request.include_raw:
            limit = min(limit, MAX_RAW_PAGE)
        channel_id = _optional_id("channel_id", request.channel_id)
        query = ("ListDeadWebhooks", channel_id)
        after = paging.position_in(request.page_token, query, (_time_of, DeadWebhookId.parse))
        found = await dead_webhooks.list_dead_webhooks(
            self._means.desk,
            require_caller(),
            channel_id=channel_id,
            after=None if after is None else (after[0], after[1]),
            limit=limit + 1,
            include_raw=request.include_raw,
        )
        page = found[:limit]
        token = ""
        if len(found) > limit:
            last = page[-1]
            token = paging.next_token(query, (last.receive_time.isoformat(), str(last.id)))
        return v1.ListDeadWebhooksResponse(
            dead_webhooks=map(dead_webhook_to_proto, page), next_page_token=token
        )

    async def RedriveWebhooks(
        self, request: v1.RedriveWebhooksRequest, context: Context
    ) -> v1.RedriveWebhooksResponse:
        """Tries dead webhooks again, those of one contact in order."""
        count = await dead_webhooks.redrive_webhooks(
            self._means.desk,
            require_caller(),
            request_id=parse_id("request_id", request.request_id),
            channel_id=_optional_id("channel_id", request.channel_id),
            only=_dead_webhook_id(request.dead_webhook_id),
            wake=self._means.wake_webhooks,
        )
        return v1.RedriveWebhooksResponse(redriven_count=count)


def _kind_from(field: str, number: v1.ChannelKind.ValueType) -> ChannelKind:
    kind = CHANNEL_KINDS_BACK.get(number)
    if kind is None:
        raise FieldInvalid(field=field, rule="must be a kind of channel")
    return kind


def _optional_id(field: str, value: str) -> str | None:
    return parse_id(field, value) if value else None


def _dead_webhook_id(text: str) -> DeadWebhookId | None:
    try:
        return DeadWebhookId.parse(text) if text else None
    except ValueError:
        raise FieldInvalid(
            field="dead_webhook_id", rule="must be an id from ListDeadWebhooks"
        ) from None


def _not_negative(field: str, value: int) -> int:
    if value < 0:
        raise FieldInvalid(field=field, rule="must not be negative")
    return value


def _time_of(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(text)
    return time
