"""What Slurm's programs say is read as it is meant, whatever stands in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.errors import ConfigurationError
from mlpipeline.execution import slurm_limits, slurm_words
from mlpipeline.execution.remote import Stage
from mlpipeline.execution.slurm_settings import SlurmSettings, read

_POLICY = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
QUEUE = """
12|0|RUNNING|None|2026-11-21T23:50:31|n1|mlp-aa
12|3-5,9%2|PENDING|Resources|2027-01-01T00:00:00||mlp-aa
12|1|COMPLETED|None|2026-11-21T23:50:31|n1|mlp-aa
13|N/A|CANCELLED|Priority|N/A||mlp-bb
14|N/A|RUNNING|None|N/A|n2|somebody|else's
15|0|NODE_FAIL|NodeDown|N/A|n2|mlp-cc
15|1|SOME_NEW_STATE|None|N/A|n2|mlp-cc
16|0|COMPLETED|None|N/A|n2|mlp-cc
16|1|PENDING|None|N/A||mlp-cc
"""


def test_the_queue_is_read_task_by_task() -> None:
    found, odd = slurm_words.read_queue(QUEUE, "mlp-")
    assert odd == []
    assert set(found) == {"aa", "bb", "cc"}
    stages = [slurm_words.sight(found["aa"], number).stage for number in (0, 1, 2, 3, 5, 9)]
    assert stages == [
        *(Stage.RUNNING, Stage.ENDED, Stage.ENDED),
        *(Stage.WAITING, Stage.WAITING, Stage.WAITING),
    ]
    waiting = slurm_words.sight(found["aa"], 4)
    assert "waits for resources (Resources)" in waiting.reason
    assert "2027-01-01" in waiting.reason
    cancelled = slurm_words.sight(found["bb"], 7)
    assert cancelled.ending is not None
    assert cancelled.ending.cause == "killed"
    assert slurm_words.sight(None, 0).stage is Stage.UNKNOWN


def test_a_failed_node_says_nothing_certain_and_the_livelier_of_two_counts() -> None:
    found, _ = slurm_words.read_queue(QUEUE, "mlp-")
    assert slurm_words.sight(found["cc"], 1).stage is Stage.RUNNING
    failed, _ = slurm_words.read_queue("15|0|NODE_FAIL|NodeDown|N/A|n2|mlp-cc", "mlp-")
    sight = slurm_words.sight(failed["cc"], 0)
    assert (sight.stage, sight.is_certain) == (Stage.ENDED, False)
    assert sight.ending is not None
    assert sight.ending.cause == "node_failed"


def test_a_job_has_a_place_in_the_line_of_its_partition() -> None:
    told = slurm_words.read_line("31|gpu\n12|gpu\n40|short\n12|gpu\n13|gpu\n\nwhat?\n")
    gpu = {job: f"; {place} of 3 in line for gpu" for place, job in enumerate(("31", "12", "13"), 1)}
    assert told == gpu | {"40": "; 1 of 1 in line for short"}
    found, _ = slurm_words.read_queue(QUEUE, "mlp-")
    assert slurm_words.sight(found["aa"], 4, told[found["aa"].job]).reason.endswith("00:00:00; 2 of 3 in line for gpu")


@given(st.text())
def test_whatever_squeue_says_is_no_error(text: str) -> None:
    slurm_words.read_line(text)
    found, odd = slurm_words.read_queue(text, "mlp-")
    assert all(line.strip() for line in odd)
    assert all(row.stage for listed in found.values() for rows in listed.tasks.values() for row in rows)


@given(st.lists(st.integers(0, 2000), unique=True, min_size=1))
def test_lists_of_tasks_are_read(numbers: list[int]) -> None:
    assert slurm_words.task_numbers(",".join(map(str, numbers)) + "%7") == numbers


def test_ranges_of_tasks_are_read() -> None:
    assert slurm_words.task_numbers("[0-6:2,8-9]") == [0, 2, 4, 6, 8, 9]
    assert slurm_words.task_numbers("N/A") is None


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("sbatch: error: invalid partition specified: none", "partition"),
        ("Batch job submission failed: Invalid account or account/partition combination specified", "account"),
        ("Batch job submission failed: Invalid qos specification", "qos"),
        ("Invalid generic resource (gres) specification", "gres"),
        ("sbatch: error: Memory specification can not be satisfied", "memory"),
        ("Invalid feature specification", "constraint"),
        ("Requested time limit is invalid (missing or exceeds some limit)", "time"),
        ("sbatch: unrecognized option '--nope'", "extra"),
        ("something that nobody has seen", "[SLURM]"),
        (f"sbatch: error: QOSMaxCpuPerJobLimit; sbatch: error: {_POLICY}", "cpus"),
        (f"sbatch: error: AssocMaxWallDurationPerJobLimit; sbatch: error: {_POLICY}", "time"),
    ],
)
def test_a_rejection_names_the_key(words: str, key: str) -> None:
    told = slurm_words.rejection(words)
    assert told is not None
    assert f"`{key}`" in told or key in told.partition("see ")[2]


def test_a_rejection_says_what_was_asked_for() -> None:
    flags = ("--partition=gpu", "--gres=gpu:3", "--signal=B:USR1@60", "--nice=3")
    told = slurm_words.rejection("Requested node configuration is not available", flags)
    assert told is not None
    assert "(it asked for --partition=gpu --gres=gpu:3): see `memory`, `gres`, `cpus`, `constraint`" in told


@pytest.mark.parametrize(
    "words",
    [
        "Unable to contact slurm controller (connect failure)",
        _POLICY,
        f"sbatch: error: AssocMaxSubmitJobLimit; sbatch: error: Batch job submission failed: {_POLICY}",
        f"sbatch: error: QOSGrpSubmitJobsLimit; sbatch: error: Batch job submission failed: {_POLICY}",
        "Socket timed out on send/recv operation",
        "Munge encode failed: Failed to access munge.socket",
        "sbatch did not answer within 60 s",
    ],
)
def test_what_passes_is_tried_again(words: str) -> None:
    assert slurm_words.rejection(words) is None


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("AssocMaxJobsLimit", "as many jobs run as its account may have at a time (`account` in [SLURM])"),
        ("QOSMaxJobsPerUserLimit", "as many jobs run as its quality of service may have at a time (`qos` in [SLURM])"),
        ("AssocGrpSubmitJobsLimit", "as many jobs are in the queue as its account may have"),
        ("QOSMaxCpuPerJobLimit", "gives a job less CPUs than it asks for: lower `cpus` in [SLURM], or change `qos`"),
        ("QOSMaxMemoryPerUser", "have all memory that they may have at a time"),
        ("AssocGrpGRES", "lower `gres` in [SLURM]"),
        ("AssocGrpCPURunMinutesLimit", "its account has used up its time: change `account` in [SLURM]"),
        ("AssocGrpWallLimit", "has used up its time"),
        ("QOSMinGRES", "wants jobs to ask for more generic resources: raise `gres` in [SLURM], or change `qos`"),
        ("AssocGrpUnknown", "have all resources that they may have at a time"),
        ("AssocMaxNodePerJobLimit", "gives a job less nodes than it asks for"),
        ("AssociationJobLimit", ""),
        ("Priority", ""),
        ("Job's account not permitted to use this partition (closed allows small not lab)", ""),
    ],
)
def test_limits_are_told_by_their_names(reason: str, told: str) -> None:
    assert told in slurm_limits.words(reason)
    assert bool(slurm_limits.words(reason)) is bool(told)
    row = slurm_words.Row("12", "PENDING", reason, "N/A", "")
    assert f"({reason})" in slurm_words.reason(row)


def test_what_passes_is_told_with_the_limit_that_is_met() -> None:
    told = slurm_words.passing(f"sbatch: error: AssocMaxSubmitJobLimit; sbatch: error: {_POLICY}")
    assert told.startswith("as many jobs are in the queue as its account may have (`account` in [SLURM])")
    assert "AssocMaxSubmitJobLimit" in told
    assert slurm_words.passing("Socket timed out") == "Socket timed out"


def test_a_partition_that_is_not_for_an_account_names_both_keys() -> None:
    row = slurm_words.Row("12", "PENDING", "Job's account not permitted to use this partition (a allows b)", "N/A", "")
    assert "change `account` or `partition` in [SLURM]" in slurm_words.reason(row)
    row = slurm_words.Row("12", "PENDING", "Job's QOS not permitted to use this partition (a allows b)", "N/A", "")
    assert "change `qos` in [SLURM]" in slurm_words.reason(row)


def test_settings_become_options() -> None:
    section = {"partition": "gpu", "memory": "2GiB", "time": "1-00:00:00", "gres": "gpu:a100:1", "extra": "-x 'a b'"}
    settings = read(section)
    found = settings.flags({"threads": 4, "gpus": None, "memory_limit": None})
    assert {"--partition=gpu", "--mem=2048M", "--time=1440", "--gres=gpu:a100:1", "--cpus-per-task=4"} <= set(found)
    assert found[-2:] == ("-x", "a b")
    assert "--gres=gpu:2" in settings.flags({"gpus": 2})
    assert not any(each.startswith("--gres") for each in settings.flags({"gpus": 0}))
    assert SlurmSettings().flags({"threads": 1}) == ("--cpus-per-task=1", "--signal=B:USR1@60")
    own = SlurmSettings().flags({"timeout_seconds": 600.0, "grace_seconds": 30.0, "memory_limit": 2**30})
    assert {"--time=13", "--mem=1088M"} <= set(own)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("30:00", 1800), ("12:00:00", 43200), ("2-12", 216000), ("1.5h", 5400)]
)
def test_times_are_read_as_slurm_writes_them(text: str, seconds: float) -> None:
    assert read({"time": text}).time == seconds


def test_faults_of_the_section_name_the_key() -> None:
    with pytest.raises(ConfigurationError) as raised:
        read({"partitoin": "gpu", "memory": "much", "lease_seconds": "1", "extra": "'"})
    told = [str(each) for each in raised.value.faults]
    assert "partition" in told[0]
    assert [each.split()[2] for each in told[1:]] == ["memory", "extra", "lease_seconds:"]
