"""A consumer of huey with one worker thread that has nothing to do, with huey's own intervals."""

import sys

from huey import SqliteHuey

consumer = SqliteHuey("bench", filename=f"{sys.argv[1]}/huey.db").create_consumer(workers=1)
open(f"{sys.argv[1]}/ready", "w").close()
consumer.run()
