"""Workspaces, the people in them, and what lets them in.

Owns: workspaces, members, sessions, one-time links, used tickets, API keys, signing keys.
Publishes: workspace_changed, member_changed, api_key_changed, session_revoked.
Consumes: nothing.
Calls: nothing.
"""
