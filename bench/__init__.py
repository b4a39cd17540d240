"""Benchmarks: each prints a figure, a limit measured in the same run, and their ratio."""
