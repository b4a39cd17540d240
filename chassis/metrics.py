"""Every metric of the suite in one list: name, unit, meaning.

The name ends with the unit. Labels are few and bounded: a method, a reason, a stream; never an id.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, start_http_server

from chassis.errors import CannotStart
from chassis.settings import host_and_port, is_loopback

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Bucket bounds for things that should take milliseconds, in seconds."""

RPC_DURATION = Histogram(
    "inbox_rpc_duration_seconds",
    "Time from a call's arrival to its status, by method and status code.",
    ["method", "code"],
    buckets=FAST,
)
RPC_UNDER_WAY = Gauge("inbox_rpc_under_way_calls", "Calls being served at this moment.")
RPC_REFUSED = Counter(
    "inbox_rpc_refused_calls",
    "Calls refused before their handler ran, by reason.",
    ["reason"],
)
TOKEN_EXCHANGES = Counter(
    "inbox_token_exchanges_calls",
    "API keys that had to be exchanged at identity, by outcome.",
    ["outcome"],
)
TASK_FAILURES = Counter(
    "inbox_task_failures_runs",
    "Runs of a background loop that ended and were started again, by loop.",
    ["task"],
)
BUS_CONNECTED = Gauge("inbox_bus_connected_state", "1 while connected to NATS, else 0.")
BUS_DROPPED = Counter(
    "inbox_bus_dropped_messages",
    "Messages of NATS dropped because they waited here in too great a number.",
)
RELAY_SEQUENCED = Counter(
    "inbox_relay_sequenced_events", "Events that were given their position.", ["stream"]
)
RELAY_PUBLISHED = Counter(
    "inbox_relay_published_events", "Events acknowledged by JetStream.", ["stream"]
)
EVENTS_ERASED = Counter(
    "inbox_relay_erased_events", "Events whose contents were deleted from the stream.", ["stream"]
)
RELAY_FAILURES = Counter(
    "inbox_relay_failures_publishes",
    "Publishes that failed or whose outcome was unknown; each is followed by a look at the stream.",
    ["stream"],
)
RELAY_STUCK = Gauge(
    "inbox_relay_stuck_state",
    "1 while one position was refused ten times or more: somebody has to look.",
    ["stream"],
)
RELAY_ACTIVE = Gauge("inbox_relay_active_state", "1 in the replica whose relay works.", ["stream"])
CONSUMER_APPLIED = Counter(
    "inbox_consumer_applied_events", "Events whose effects were committed.", ["consumer"]
)
CONSUMER_POSITION = Gauge(
    "inbox_consumer_position_gpos", "The newest position of its stream applied.", ["consumer"]
)
CONSUMER_PARKED = Counter(
    "inbox_consumer_parked_events", "Events that failed and were parked.", ["consumer"]
)
CONSUMER_DEAD = Counter(
    "inbox_consumer_dead_events",
    "Parked events that were tried often enough and wait for a person.",
    ["consumer"],
)
CONSUMER_REBUILDS = Counter(
    "inbox_consumer_rebuilds_runs", "Rebuilds from the owner's snapshot.", ["consumer"]
)
AUDIT_LINKED = Counter(
    "inbox_audit_linked_entries", "Audit entries that were given their place in a chain."
)
DISPATCH_CALLS = Counter(
    "inbox_dispatch_answered_calls",
    "Calls that handed a message to a platform, by kind of channel and what came of it.",
    ["kind", "outcome"],
)
DISPATCH_FAILURES = Counter(
    "inbox_dispatch_failed_lanes",
    "Lanes that could not be worked on for a fault of ours; each is tried again.",
)
WEBHOOK_ITEMS = Counter(
    "inbox_webhook_processed_items",
    "Items of platforms' calls, by what became of them: done, waiting (tried again), dead.",
    ["state"],
)
WEBHOOKS_DEAD = Gauge(
    "inbox_webhook_dead_parts",
    "Platforms' calls, and items of them, that failed too often and wait for RedriveWebhooks; of "
    "all workspaces, so every replica tells the same.",
    ["part"],
)
SEARCH_INDEXED = Counter(
    "inbox_search_indexed_messages", "Messages whose words were written down for search."
)
SEARCH_BEHIND = Gauge(
    "inbox_search_behind_events", "Events of messaging's log that search has not read yet."
)
SEARCH_REBUILDING = Gauge(
    "inbox_search_rebuilding_state",
    "1 while all messages are looked at, because the log alone did not tell everything.",
)
TURNS = Counter(
    "inbox_assistant_ended_turns",
    "Turns of the AI, by provider and outcome.",
    ["provider", "outcome"],
)
TURN_SECONDS = Histogram(
    "inbox_assistant_provider_duration_seconds",
    "Time a provider of the AI took to come to something, by provider.",
    ["provider"],
    buckets=FAST,
)
TURN_FAILURES = Counter(
    "inbox_assistant_failed_turns",
    "Turns that could not be worked on for a fault of ours; each is tried again.",
)
COUNTERS_CHECKED = Counter(
    "inbox_counters_checked_workspaces",
    "Workspaces whose counters were compared with what they count.",
)
COUNTER_DRIFT = Counter(
    "inbox_counters_drift_conversations",
    "Conversations by which counters were wrong when compared; it must stay 0.",
)
GATEWAY_REQUESTS = Histogram(
    "inbox_gateway_requests_duration_seconds",
    "Time from an HTTP request's arrival to its answer, by route and status.",
    ["route", "status"],
    buckets=FAST,
)
GATEWAY_SOCKETS = Gauge("inbox_gateway_open_sockets", "Live sockets, by kind.", ["kind"])
GATEWAY_CLOSES = Counter(
    "inbox_gateway_closed_sockets", "Live sockets that ended, by close code.", ["code"]
)
GATEWAY_JOINS = Counter(
    "inbox_gateway_joined_sockets",
    "Sockets that joined their workspace's stream: fresh, from memory, from realtime, or resync.",
    ["way"],
)
GATEWAY_FRAMES = Counter(
    "inbox_gateway_delivered_frames", "Frames written to sockets by hubs, once per socket."
)
GATEWAY_WATCHES = Gauge(
    "inbox_gateway_open_watches", "Workspaces whose stream is being watched at this moment."
)
GATEWAY_SENDS = Histogram(
    "inbox_gateway_send_batch_messages",
    "Messages written to messaging's stream together.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
)
READY = Gauge("inbox_ready_state", "1 while this process takes traffic, else 0.")


class MetricsNotPrivate(CannotStart):
    """The metrics address would be open to a network nobody vouched for."""


def serve(listen: str, *, trusted_network: bool) -> None:
    """Answer Prometheus on an address of its own, from a thread. Raises: MetricsNotPrivate."""
    host, port = host_and_port(listen)
    if not trusted_network and not is_loopback(host):
        raise MetricsNotPrivate(
            f"{listen} is beyond loopback; set INBOX_TRUSTED_NETWORK=1 if that network is private"
        )
    start_http_server(port, host)
