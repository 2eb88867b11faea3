"""Queues tasks in SQLite, and consumes them with one thread."""

import sys
import time

import trace_of_run
from huey import SqliteHuey

huey = SqliteHuey("bench", filename=f"{sys.argv[3]}/huey.db")


@huey.task()
def work() -> None:
    """Does nothing."""
    trace_of_run.nothing(sys.argv[2])


if __name__ == "__main__":
    results = [work() for _ in range(int(sys.argv[1]))]
    consumer = huey.create_consumer(workers=1, initial_delay=0.01, backoff=1.0, check_worker_health=False)
    consumer.start()
    while huey.pending_count():
        time.sleep(0.01)
    time.sleep(0.1)
    consumer.stop(graceful=True)
