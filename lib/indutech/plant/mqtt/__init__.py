"""The way of readings from a plant to the broker: a gateway that keeps them, an MQTT broker, and a bridge to Kafka.

`gateway.send` keeps readings in `store` until the bridge confirms that Kafka has them, and sends again what is not
confirmed; `bridge.run` acknowledges and confirms only after Kafka's delivery reports. `connection` reaches the MQTT
broker, and starts the embedded one of `server` if none is named. `topics` has the names that both sides use.
"""

__all__ = ["bridge", "connection", "gateway", "server", "store", "topics"]
