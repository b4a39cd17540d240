"""All SQL of the shared inbox. Each statement names the workspace; row security checks again."""
