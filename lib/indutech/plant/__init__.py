"""What stands in the plant and feeds the platform: its sensors, and its ERP, whose changes are captured into the lake.

Each part runs on its own, and nothing starts or is fetched unless it is asked for. The pipeline knows none of them: it
loads the contract that INDUTECH_PRODUCT names. `erp` is a real PostgreSQL with Debezium behind it; `supervised` is the
life of an embedded server, the same for each of them.
"""

__all__ = ["erp", "sensors"]
