"""The services of Inbox; each folder is one process with one floor plan."""
