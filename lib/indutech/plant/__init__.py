"""What stands in the plant and feeds the platform: its ERP, whose changes are captured into the lake.

`erp` is a real PostgreSQL with Debezium behind it. Nothing here starts or is fetched unless it is asked for.
`supervised` is the life of an embedded server, the same for each of them.
"""

__all__ = ["erp"]
