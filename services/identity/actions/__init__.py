"""What identity can do: one coroutine each, one transaction, and the events it caused."""
