"""What notebook 06 does to a pipeline of its own: kills its writers and its broker, cuts its checkpoint.

`bench` has the broker and the data folder for it. `kills` lets two sinks die together, `readers` looks at what they
leave, `outage` kills the broker under a stream, `damage` cuts the checkpoint, `poison` follows a message that is no
ticket, `rebalance` makes a table with a known fault, and `laboratory` reads the committed result of `make faults`.
"""

__all__ = ["bench", "damage", "kills", "laboratory", "outage", "poison", "readers", "rebalance"]
