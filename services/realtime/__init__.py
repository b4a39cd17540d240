"""Live updates: one ordered, resumable stream per workspace, presence and typing.

Owns: nothing durable.
Publishes: nothing (presence goes over plain NATS).
Consumes: thread_opened, message_created, delivery_status_changed, mode_changed, channel_changed,
thread_erased, conversation_erased, contact_erased,
conversation_opened, conversation_solved, conversation_reopened, conversation_moved,
conversation_read, conversation_seen, conversation_marked_unread, conversation_tagged,
conversation_untagged, conversation_assigned, contact_changed, contacts_merged,
contact_note_changed, tag_changed, counters_changed, inbox_settings_changed, workspace_changed,
member_changed, api_key_changed, session_revoked, article_changed, assistant_settings_changed,
turn_ended.
Calls: identity, conversation, messaging, assistant (holes in their logs, JWKS).
"""
