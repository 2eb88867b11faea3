"""Records metrics as events for TensorBoard."""

import json
import sys
import time

from tensorboardX import SummaryWriter

writer = SummaryWriter(f"{sys.argv[2]}/events")
start = time.perf_counter()
for step in range(int(sys.argv[1])):
    writer.add_scalar("loss", 0.5, step)
writer.close()
print(json.dumps({"seconds": time.perf_counter() - start}))
