"""What an estimator may use of the machine: threads, and a GPU where there is one."""

from __future__ import annotations

import ctypes
import os
from typing import Any

from mlpipeline import errors

_CUDA = ("libcuda.so.1", "libcuda.so")


def threads(n_jobs: int | None) -> int | None:
    """Returns how many threads a fit uses: what is asked for, else what the run may use; None leaves it to the library.

    The queue tells a run by `OMP_NUM_THREADS`; libraries that were loaded before a worker was forked do not read it.
    """
    if n_jobs is not None and n_jobs > 0:
        return n_jobs
    return _allowed() if n_jobs is None else None


def threads_to_predict(n_jobs: int | None) -> int | None:
    """Returns how many threads a model uses that was loaded: what this process may use, else what the fit was told.

    It was told so on another machine, or for more rows: threads that share out a single row wait for one another.
    """
    return _allowed() or threads(n_jobs)


def _allowed() -> int | None:
    told = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return int(told) if told.isdigit() and int(told) > 0 else None


def require_gpu(who: Any, device: str) -> None:
    """Refuses a GPU where this process sees none; libraries would use the processor, and say nothing of it.

    Raises:
        ParameterError: there is none.
    """
    if visible_gpus() == 0:
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
        told = "" if hidden is None else f" (CUDA_VISIBLE_DEVICES is {hidden!r})"
        raise errors.ParameterError(
            f"{type(who).__name__} asks for the device '{device}', and this process sees no GPU{told}: "
            f"leave it out to use the processor, or give the run a GPU"
        )


def visible_gpus() -> int:
    """Returns how many GPUs CUDA shows to this process; makes no context on any."""
    for name in _CUDA:
        try:
            driver = ctypes.CDLL(name)
        except OSError:  # no driver, so no GPU
            continue
        count = ctypes.c_int(0)
        if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0:
            return count.value
    return 0
