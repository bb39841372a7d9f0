"""The memory that the plant states, and what a run of ten minutes took: assets/plant-run.json."""

MOST_MB = 4_096
