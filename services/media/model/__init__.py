"""Types and rules of media: values and pure functions, without I/O, clock or libraries."""
