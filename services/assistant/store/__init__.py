"""All SQL of the AI. Each statement names the workspace; row security checks again."""
