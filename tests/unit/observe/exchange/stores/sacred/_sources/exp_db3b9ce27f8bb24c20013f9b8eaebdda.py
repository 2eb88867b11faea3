
import os, signal, sys
from sacred import Experiment
from sacred.observers import FileStorageObserver
ex = Experiment("digits", save_git_info=False)
ex.observers.append(FileStorageObserver(sys.argv[1]))
@ex.config
def config():
    lr = 0.1
    net = {"width": 32, "layers": [1, 2]}
    how = "well"
@ex.main
def main(_run, lr, how):
    for step in range(3):
        _run.log_scalar("train.loss", 1.0 / (step + 1), step)
    _run.log_scalar("odd", float("nan"))
    if how == "badly":
        raise ValueError("no luck")
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "interrupted":
        raise KeyboardInterrupt
    return {"accuracy": 0.9, "note": "fine"} if how == "dict" else 0.75
ex.run(config_updates=eval(sys.argv[2]), options={"--comment": sys.argv[3]})
