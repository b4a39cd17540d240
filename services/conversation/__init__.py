"""The shared inbox: who wrote, what is open, what is unread.

Owns: contacts, their channel identities, profiles and notes, conversations, folders, read marks,
tags, assignment, drafts, counters, inbox settings, erasures.
Publishes: conversation_opened, conversation_solved, conversation_reopened, conversation_moved,
conversation_read, conversation_seen, conversation_marked_unread, conversation_tagged,
conversation_untagged, conversation_assigned, contact_changed, contacts_merged,
contact_note_changed, tag_changed, counters_changed, inbox_settings_changed, conversation_erased,
contact_erased.
Consumes: thread_opened, message_created, mode_changed, thread_erased.
Calls: messaging (snapshots and holes of its log, history, erasing threads), assistant (forgetting
conversations), identity (tokens, members).
"""
