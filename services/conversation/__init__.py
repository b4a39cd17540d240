"""The shared inbox: who wrote, what is open, what is unread.

Owns: contacts and their channel identities, conversations, folders, read marks.
Publishes: conversation_opened, conversation_solved, conversation_reopened, conversation_read,
contact_changed.
Consumes: thread_opened, message_created, mode_changed.
Calls: messaging (snapshots and holes of its log), identity (tokens).
"""
