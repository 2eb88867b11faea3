"""How an attempt ended, decided from facts: the worker's own word, exit status, signals, what was asked.

Imported by the supervisor at every start: plain dictionaries, light modules.
"""

from __future__ import annotations

import os
import signal

from mlpipeline.execution.limits import signal_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CRASHES = {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP}


class Facts:
    """What the supervisor saw. `status` is a wait status; sizes are bytes.

    Attributes:
        exceeded: what the run's processes held when they broke a limit that the supervisor watches; else 0.
        limit_kills: how many of them the kernel killed at the limit of their own control group.
        kernel_kills: how many processes the kernel killed meanwhile for want of memory, of all that share its group.
        step: the last one that the run told of.
    """

    def __init__(
        self,
        *,
        status: int,
        asked: str,
        timed_out: bool,
        started: bool,
        peak_bytes: int,
        cpu_seconds: float,
        leftovers: int,
        dropped: int,
        exceeded: int = 0,
        limit_kills: int = 0,
        kernel_kills: int = 0,
        step: int | None = None,
    ) -> None:
        self.status = status
        self.asked = asked
        self.timed_out = timed_out
        self.started = started
        self.peak_bytes = peak_bytes
        self.cpu_seconds = cpu_seconds
        self.leftovers = leftovers
        self.dropped = dropped
        self.exceeded = exceeded
        self.limit_kills = limit_kills
        self.kernel_kills = kernel_kills
        self.step = step


def outcome(spec: dict[str, Any], result: dict[str, Any] | None, facts: Facts) -> dict[str, Any]:
    """Returns the content of `outcome.json`, without its times.

    Args:
        spec: the attempt's `spec.json`.
        result: its `result.json`, None when the code did not come to an end. One with another token counts as none.
        facts: what the supervisor saw.
    """
    if result is not None and result.get("token") != spec["token"]:
        result = None
    state, cause, message = _judge(spec, result, facts)
    told = result or {}
    warnings = list(told.get("warnings") or [])
    if facts.leftovers:
        warnings.append(f"left {facts.leftovers} processes behind; they were ended")
    if facts.dropped:
        warnings.append(f"{facts.dropped} bytes of output were dropped: the disk was full")
    step = told.get("steps") or facts.step
    if state in ("failed", "lost") and step:
        message += f", at step {step}"
    code, number = _exit(facts.status)
    return {
        "token": spec["token"],
        "state": state,
        "cause": cause,
        "message": message,
        "exit_code": code,
        "signal": number,
        "peak_memory_bytes": facts.peak_bytes,
        "cpu_seconds": round(facts.cpu_seconds, 4),
        "steps": step,
        "metrics": told.get("metrics") or {},
        "checkpoint_step": told.get("checkpoint_step"),
        "warnings": warnings,
    }


def _exit(status: int) -> tuple[int | None, int | None]:
    if os.WIFSIGNALED(status):
        return None, os.WTERMSIG(status)
    return os.WEXITSTATUS(status), None


def _judge(spec: dict[str, Any], result: dict[str, Any] | None, facts: Facts) -> tuple[str, str, str]:
    code, number = _exit(facts.status)
    if result is not None and result["state"] == "succeeded":
        # The work was complete and written down; what happened to the process afterwards changes nothing.
        return "succeeded", str(result.get("cause") or "none"), str(result.get("message") or "")
    if facts.exceeded or facts.limit_kills:
        return "failed", "memory_limit", _over_limit(spec, facts)
    if facts.timed_out:
        limit = spec.get("timeout_seconds")
        return "failed", "time_limit", f"ran longer than timeout_seconds = {limit:g}: raise the limit or train less"
    if result is not None and result["state"] in ("yielded", "cancelled"):
        return str(result["state"]), str(result.get("cause") or "none"), str(result.get("message") or "")
    if facts.asked == "cancel":
        return "cancelled", "cancelled", "cancelled on request"
    if facts.asked == "interrupt":
        return "cancelled", "interrupted", "ended because the queue was told to stop; it goes on when the queue does"
    if result is not None:
        return str(result["state"]), str(result.get("cause") or "exception"), str(result.get("message") or "")
    if not facts.started:
        return "failed", "refused", f"the worker could not be started with {spec.get('python')}: see the run's log"
    if number is not None:
        return _signalled(number, facts)
    return "failed", "exit", f"the code ended its own process with exit status {code}: use return or raise instead"


def _over_limit(spec: dict[str, Any], facts: Facts) -> str:
    limit, used = int(spec.get("memory_limit") or 0), max(facts.exceeded, facts.peak_bytes)
    told = f"used {used / 2**20:.0f} MiB of memory, memory_limit = {limit / 2**20:.0f} MiB"
    return f"{told}: raise the limit, or train with a smaller batch"


def _signalled(number: int, facts: Facts) -> tuple[str, str, str]:
    name = signal_name(number)
    peak = f"peak memory {facts.peak_bytes / 2**20:.0f} MiB"
    if number in _CRASHES:
        return "failed", "segmentation_fault", f"crashed with {name} in native code ({peak}): see the run's log"
    if number == signal.SIGKILL:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        if facts.kernel_kills:
            told = f"the kernel killed it: the machine was out of memory ({peak} of {machine / 2**20:.0f})"
            return "failed", "out_of_memory", told
        hint = ", probably out of memory" if facts.peak_bytes > machine / 2 else ""
        return (
            "lost",
            "killed",
            f"killed by signal 9{hint}: peak {facts.peak_bytes / 2**20:.0f} MiB of {machine / 2**20:.0f}",
        )
    return "lost", "killed", f"ended by {name} from outside ({peak})"
