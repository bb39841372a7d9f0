"""The plant, where the data begin: its sensors and their way to the broker.

Each part runs on its own. The pipeline knows none of them: it loads the contract that INDUTECH_PRODUCT names.
"""

__all__ = ["mqtt", "sensors"]
