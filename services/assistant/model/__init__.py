"""The rules of the AI, without any library."""
