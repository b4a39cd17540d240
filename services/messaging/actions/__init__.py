"""What messaging can do: one coroutine, one transaction and its events each."""
