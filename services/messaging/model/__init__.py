"""Types and rules of messaging: values and pure functions, without I/O, clock or libraries."""
