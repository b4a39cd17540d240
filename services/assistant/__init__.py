"""The AI: when it answers, with what, and when it calls a person.

Owns: articles, how the AI behaves, what it owes in each conversation, the audit of its turns.
Publishes: article_changed, assistant_settings_changed, turn_ended.
Consumes: thread_opened, message_created, mode_changed, conversation_opened, conversation_solved,
conversation_reopened, conversation_moved.
Calls: messaging (history, sends, handovers; holes of its log), conversation (details of
contacts; holes of its log), realtime ("AI is writing"), identity (tokens), the providers of
workspaces.
"""
