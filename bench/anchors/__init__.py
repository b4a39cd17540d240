"""The limits that figures stand beside: what this machine, and other programs on it, can do."""
