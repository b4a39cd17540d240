"""The front door: Envoy's configuration, made from the list of services.

One port for browsers (HTTP, WebSocket), for teams (gRPC, gRPC-Web) and for platforms (webhooks).
The suite renders it with addresses for one machine, with names for a deployment.
"""

from gateway.envoy.config import Certificate, Endpoint, FrontDoor, Upstream, render

__all__ = ["Certificate", "Endpoint", "FrontDoor", "Upstream", "render"]
