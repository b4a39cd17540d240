"""The servicers: requests to arguments, one action, answers to responses."""
