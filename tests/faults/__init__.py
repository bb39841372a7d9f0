"""The laboratory: the real pipeline is hurt, left to settle, and compared with its topic offset by offset.

`laboratory` starts and hurts the programs, `oracle` compares, `record` keeps what came out. The rows of the table are
in `on_messages`, `on_topics`, `on_brokers`, `on_programs` and `on_folders`.
"""
