"""Brings everything up on one machine: servers, services, the demo workspace."""
