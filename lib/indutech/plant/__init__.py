"""What stands in the plant and feeds the platform: sensors, MQTT, and the ERP, whose changes go into the lake.

Each part runs on its own, and nothing starts or is fetched unless it is asked for. The pipeline knows none of them: it
loads the contract that INDUTECH_PRODUCT names. `sensors` has the readings and `mqtt` their way to the
broker, `erp` is a real PostgreSQL with Debezium behind it.
"""

__all__ = ["erp", "mqtt", "sensors", "together"]
