"""All SQL of identity. Every statement on rows of a workspace names the workspace itself too: that
check and row security each suffice alone.
"""
