"""A month of InduTech's tickets through the real parts, on the disk and the cores that are there: `make month`.

`plan` says how many tickets that is and what room they need, `producer` sends them, `topic` deletes from the topic what
is committed, `run` keeps all of it together, `programs` watches each process, and `shown` is what one sees of it.
"""
