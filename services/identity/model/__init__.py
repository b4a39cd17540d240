"""Types and rules of identity: values and pure functions, without I/O, clock or libraries."""
