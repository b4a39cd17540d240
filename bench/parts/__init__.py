"""The benchmarks: each part yields its rows as they are measured."""
