"""Benchmarks: side by side in one run, on a stated size, with a table at the end."""
