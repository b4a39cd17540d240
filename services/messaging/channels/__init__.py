"""Ports to platforms: one adapter for each kind of channel."""
