"""Where answers come from: one port, one file per kind."""
