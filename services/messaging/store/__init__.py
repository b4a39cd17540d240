"""All SQL of messaging. Takes and returns model objects."""
