"""The front door: Envoy's configuration, made from the list of services.

One port for browsers (HTTP, WebSocket), for teams (gRPC, gRPC-Web) and for platforms (webhooks).
`python -m gateway.envoy` prints it for a deployment whose services have names; the suite renders
it with addresses.
"""

from gateway.envoy.config import Endpoint, FrontDoor, Upstream, render

__all__ = ["Endpoint", "FrontDoor", "Upstream", "render"]
