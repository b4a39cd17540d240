"""Contacts, conversations, and the rules by which messages and people move them.

A conversation holds two kinds of fields. What it *owns* (folder, read mark, which contact) changes
by a person or by a rule here, raises `version` and is published. What it *projects* (preview, mode,
inbound count) belongs to messaging and travels under messaging's own versions, so it may be applied
twice, late or out of order and always comes to the same.
"""
