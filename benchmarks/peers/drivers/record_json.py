"""Writes metrics as JSON lines: what the plainest script does."""

import json
import sys
import time

start = time.perf_counter()
with open(f"{sys.argv[2]}/metrics.jsonl", "w") as file:
    file.writelines(json.dumps({"step": step, "loss": 0.5}) + "\n" for step in range(int(sys.argv[1])))
print(json.dumps({"seconds": time.perf_counter() - start}))
