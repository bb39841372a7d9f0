"""Sections that `make bench` leaves out, for its fifteen minutes: what a decision rests on, `python -m bench NAME`."""
