"""gRPC on both sides: what stands around every handler, and channels to other services."""

from chassis.limits import RateLimit, RateLimited
from chassis.rpc.authentication import Authenticator
from chassis.rpc.call import Call, Context, current_call
from chassis.rpc.channel import Channel, Credential, channel, in_workspace
from chassis.rpc.faults import RemoteFault, remote_fault
from chassis.rpc.guard import Guard
from chassis.rpc.server import MAX_MESSAGE_BYTES, Registrar

__all__ = [
    "MAX_MESSAGE_BYTES",
    "Authenticator",
    "Call",
    "Channel",
    "Context",
    "Credential",
    "Guard",
    "RateLimit",
    "RateLimited",
    "Registrar",
    "RemoteFault",
    "channel",
    "current_call",
    "in_workspace",
    "remote_fault",
]
