"""Servicers of the shared inbox: requests to arguments, one action, answers to responses."""
