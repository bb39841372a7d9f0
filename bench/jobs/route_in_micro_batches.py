"""The route of urgent tickets as an ordinary query in micro-batches: a process of its own, until it is killed."""

from indutech.kafka import broker as brokers
from indutech.kafka import topics
from indutech.stream import job, route, urgent
from indutech.system.settings import Settings


def main() -> None:
    """Say when it waits for tickets."""
    settings = Settings()
    with brokers.connected(settings) as broker:
        for name in (settings.topic, *urgent.team_topics(settings.topic).values()):
            topics.ensure_topic(broker, settings.model_copy(update={"topic": name}))
        spark = job.new_session(settings, log=route.LOG)
        ends = topics.end_offsets(broker, settings.topic)
        query = route.written(spark, settings, broker, ends).trigger(processingTime="0 seconds").start()
        while query.status["message"] != "Waiting for data to arrive":
            query.awaitTermination(0.1)  # type: ignore[arg-type]
        print("Routing in micro-batches.", flush=True)
        query.awaitTermination()


if __name__ == "__main__":
    main()
