"""Files of conversations.

Owns: files, as bytes named by their content and rows that say what they are.
Publishes: nothing.
Consumes: nothing.
Calls: identity (tokens).
"""
