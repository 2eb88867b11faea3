"""A Ray that has nothing to do."""

import sys
import time

import ray

ray.init(include_dashboard=False, log_to_driver=False, _temp_dir=f"{sys.argv[1]}/ray")
open(f"{sys.argv[1]}/ready", "w").close()
time.sleep(3600)
