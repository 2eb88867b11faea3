"""The standard pipelines and runners on iris and on a series: scores, champions, drift, lineage, parts left out."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from mlpipeline.errors import ConfigurationError, DataFault, MlpipelineError, UsageError
from mlpipeline.workflow import ClassificationRunner, Kind, RegressionRunner, TimeSeriesRunner, content, load
from mlpipeline.workflow.pipelines import keeping
from tests.unit.workflow.conftest import Workbench

datasets = pytest.importorskip("sklearn.datasets")
pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

TRAINER = Path(__file__).resolve().parents[3] / "examples" / "titanic" / "components" / "group_trainer.py"
DEV = """
config: {train_data: train.csv, model_target: large}
train:
  component: {model_trainer: GroupTrainer}
  model_trainer: {config: {training_params: {columns: [petals]}}}
"""
APPROVING = "config: {auto_approve_models: true}"
WEAK = "train: {model_trainer: {config: {training_params: {columns: [sepals]}}}}"


def iris() -> Any:
    """Returns flowers: petals and sepals in whole cm, and whether they are of the largest kind."""
    found = datasets.load_iris(as_frame=True)
    sizes = {"petals": found.data.iloc[:, 2].astype(int), "sepals": found.data.iloc[:, 1].astype(int)}
    return pd.DataFrame({**sizes, "width": found.data.iloc[:, 3], "large": (found.target == 2).astype(int)})


@pytest.fixture
def site(bench: Workbench) -> Workbench:
    shutil.copy(TRAINER, bench.root / "components" / "group_trainer.py")
    iris().to_csv(bench.root / "train.csv", index=False)
    return bench


def runner(site: Workbench, *texts: str, **options: Any) -> ClassificationRunner:
    files = [site.write(f"dev{number or ''}.yaml", text) for number, text in enumerate([DEV, *texts])]
    found = load(files, default=ClassificationRunner, **options)
    assert isinstance(found, ClassificationRunner)
    return found


def versions(flow: Any, kind: Kind, name: str) -> list[Any]:
    return list(flow.metadata_tracker.find(kind, name))


def comparison(flow: Any, name: str = "dev", number: int = 0) -> Any:
    """Returns what was found when the latest model, or one before it, was compared with a former one."""
    reports = flow.metadata_tracker.reports(versions(flow, Kind.MODEL, name)[number])
    (finding,) = next(each for each in reports if each.name == "model_comparison").findings
    return finding


def test_a_few_lines_run_end_to_end_and_tell_metrics_model_and_lineage(
    site: Workbench, caplog: pytest.LogCaptureFixture
) -> None:
    flow = runner(site, "config: {metrics: [accuracy, rocauc]}")
    with caplog.at_level("INFO", "mlpipeline.model"):
        metrics = flow.main()
    assert metrics.keys() == {"train", "validation", "test"}
    assert all(found.keys() == {"accuracy", "rocauc"} for found in metrics.values())
    assert metrics["test"]["accuracy"] > 0.8
    (model,) = versions(flow, Kind.MODEL, "dev")
    assert model.facts["params.columns"] == ["petals"] or "petals" in str(model.facts["params.columns"])
    assert model.facts["test.accuracy"] == metrics["test"]["accuracy"]
    assert flow.metrics_tracker.get_metrics(model) == metrics
    (job,) = versions(flow, Kind.PREDICTIONS, "dev/test")
    dataset = versions(flow, Kind.DATASET, "dev/train")[0]
    assert set(job.parents) == {model.id, dataset.id}
    assert [each.id for each in flow.metadata_tracker.lineage(model)] == [dataset.id]
    rows = flow.resource_version_control.get_data(job.digest)
    assert {"prediction", "prediction_proba_0", "prediction_proba_1"} <= set(rows.columns)
    told = caplog.text
    assert f"lineage      {job.id} ({job.digest[:12]}) <- {model.id} + {dataset.id}" in told
    assert "left out     process.data_transformer" in told
    saved = Path(told.partition("saved as ")[2].partition("\n")[0])
    assert len(pd.read_csv(saved)) == job.facts["rows"]


def test_the_same_seed_has_the_same_scores_and_the_same_rows(site: Workbench) -> None:
    flows = [runner(site), runner(site), runner(site, "config: {seed: 7}")]
    first, again, other = (flow.main() for flow in flows)
    assert first == again != other
    digests = [versions(flow, Kind.DATASET, "dev/train")[0].digest for flow in flows]
    assert len(set(digests)) == 1


def test_a_better_model_becomes_the_champion_a_worse_one_does_not(site: Workbench) -> None:
    weak = runner(site, WEAK, APPROVING)
    weak.main()
    first = weak.deploy.champion("dev")
    strong = runner(site, APPROVING)
    strong.main()
    second = strong.deploy.champion("dev")
    assert (first.id, second.id) == ("model-dev-1", "model-dev-2")
    weaker = runner(site, WEAK, APPROVING)
    weaker.main()
    assert weaker.deploy.champion("dev").id == second.id
    assert "worse than the former model's" in comparison(weaker).message
    assert comparison(weaker).message.endswith("(model-dev-2)")
    assert comparison(weaker).status == "ERROR"


def test_nothing_is_approved_unasked(site: Workbench, caplog: pytest.LogCaptureFixture) -> None:
    flow = runner(site)
    with caplog.at_level("INFO", "mlpipeline.model"):
        flow.main()
    (model,) = versions(flow, Kind.MODEL, "dev")
    assert not flow.deploy.check_approval(model)
    assert flow.deploy.champion("dev") is None
    assert "promoted, and waits for approval" in caplog.text
    flow.deploy.model_repository.approve_model(model, "me")
    assert flow.deploy.deploy_model(model) is None  # nobody deploys


def test_retrained_on_all_rows_it_is_another_version_that_is_compared_by_the_one_before(site: Workbench) -> None:
    flow = runner(site, "config: {retrain_all: true, auto_approve_models: true}")
    metrics = flow.main()
    final, before = versions(flow, Kind.MODEL, "dev")
    assert final.facts["metrics_of"] == before.id
    assert flow.metrics_tracker.get_metrics(final) == metrics
    overall = iris()["large"].mean()
    assert flow.train.model_trainer.overall == pytest.approx(overall)
    again = runner(site, "config: {retrain_all: true, auto_approve_models: true}")
    again.main()
    assert "as good as the former model's" in comparison(again, number=1).message


def test_a_former_trainer_that_is_gone_is_none_to_beat_and_people_are_told(site: Workbench) -> None:
    runner(site, APPROVING).main()
    own = (site.root / "components" / "group_trainer.py").read_text().replace("GroupTrainer", "OtherTrainer")
    site.write("components/group_trainer.py", "")
    site.write("components/other_trainer.py", own)
    flow = runner(site, "train: {component: {model_trainer: OtherTrainer}}", APPROVING)
    flow.main()
    assert flow.deploy.champion("dev").id == "model-dev-2"
    finding = comparison(flow)
    assert finding.status == "WARN"
    assert "was fitted by GroupTrainer, which is no trainer here" in finding.message


def test_a_former_trainer_of_another_class_is_compared_with(site: Workbench) -> None:
    runner(site, APPROVING).main()
    naive = "train: {component: {model_trainer: NaiveTrainer}, model_trainer: {config: null}}"
    flow = runner(site, naive, APPROVING)
    flow.main()
    assert flow.deploy.champion("dev").id == "model-dev-1"


def test_rows_with_their_truth_are_compared_with_it_and_drift_is_told(site: Workbench) -> None:
    rows = iris()
    rows[rows["petals"] > 3].to_csv("eval.csv", index=False)
    rows[rows["petals"] > 3].drop(columns="large").to_csv("new.csv", index=False)
    flow = runner(site, "config: {eval_data: eval.csv, prediction_data: new.csv, predictions: told/new.csv}")
    metrics = flow.main()
    job = versions(flow, Kind.PREDICTIONS, "dev/eval")[0]
    assert flow.metrics_tracker.get_metrics(job) == {"ground_truth": metrics["ground_truth"]}
    assert flow.evaluate_ground_truth(job) == metrics["ground_truth"]
    assert len(pd.read_csv("told/new.csv")) == (rows["petals"] > 3).sum()
    dataset = versions(flow, Kind.DATASET, "dev/eval")[0]
    drift = [each for each in flow.metadata_tracker.reports(dataset) if each.name == "drift"]
    assert [each.status for each in drift] != ["PASS"]
    assert len(drift) == 1
    new = versions(flow, Kind.DATASET, "dev/prediction")[0]
    assert "ERROR" not in {each.status for each in flow.metadata_tracker.reports(new) if each.name == "data_check"}


def test_other_rows_under_the_same_name_are_compared_with_those_before(site: Workbench) -> None:
    runner(site).main()
    rows = iris()
    rows.assign(petals=rows["petals"] + 2).to_csv("train.csv", index=False)
    flow = runner(site)
    _, dataset = flow.process_data()
    names = [each.name for each in flow.metadata_tracker.reports(dataset)]
    assert names == ["data_check", "drift"]
    model, trainer, is_better = flow.train_model(*flow.process_data())
    assert (model.name, is_better) == ("dev", True)
    found, job = flow.predict_data(model, trainer, rows, dataset, "later")
    assert "prediction" in found
    assert job.name == "dev/later"


@pytest.mark.parametrize(
    "text",
    [
        "pipeline: {deploy: none, predict: none}",
        "component: {metrics_tracker: none, resource_version_control: none}",
        "process: {component: {data_checker: none, drift_checker: none, notifier: none}}",
        "train: {component: {model_checker: none, metrics_tracker: none, notifier: none}}",
        "predict: {component: {data_checker: none, drift_checker: none}}",
    ],
)
def test_what_may_be_left_out_may_be_left_out(site: Workbench, text: str) -> None:
    for _ in range(2):
        flow = runner(site, text, "config: {retrain_all: true}")
        assert flow.main()["test"]["accuracy"] > 0.8
    assert len(versions(flow, Kind.MODEL, "dev")) == 4


def test_a_damaged_model_without_version_control_is_seen(site: Workbench) -> None:
    flow = runner(site, "component: {resource_version_control: none}")
    flow.main()
    (model,) = versions(flow, Kind.MODEL, "dev")
    (Path(model.place) / "groups.json").write_text("[]")
    with pytest.raises(DataFault, match="is damaged"):
        keeping.load_model(model, flow.train.model_trainer, None)


def test_a_pipeline_that_only_fits_is_enough(site: Workbench) -> None:
    site.write(
        "pipelines/bare.py",
        "from mlpipeline.workflow import ModelTrainer, Pipeline\n"
        "class Bare(Pipeline):\n    model_trainer: ModelTrainer\n"
        "    def train_model(self, data):\n        return self.model_trainer.fit(data)\n"
        "class Wrong(Bare):\n    def train_model(self, data):\n        return 1\n",
    )
    flow = runner(site, "{pipeline: {train: Bare}, component: {data_splitter: LocalDataSplitter}}")
    metrics = flow.main()
    assert versions(flow, Kind.MODEL, "dev")[0].facts["test.f1"] == metrics["test"]["f1"]
    with pytest.raises(MlpipelineError, match="Bare has no split_data: define it, or declare"):
        runner(site, "pipeline: {train: Bare}").main()
    with pytest.raises(MlpipelineError, match=r"Wrong\.train_model returned a int: it returns the fitted trainer"):
        runner(site, "{pipeline: {train: Wrong}, component: {data_splitter: LocalDataSplitter}}").main()
    with pytest.raises(MlpipelineError, match="Bare has no retrain_model_on_all_data"):
        runner(
            site,
            "{pipeline: {train: Bare}, component: {data_splitter: LocalDataSplitter}}",
            settings=["retrain_all=true"],
        ).main()


def test_wrong_metrics_are_told_before_anything_runs(site: Workbench) -> None:
    with pytest.raises(ConfigurationError, match="rmse") as caught:
        runner(site, "config: {metrics: [rmse], perf_metric: acuracy}")
    assert "there is no metric 'acuracy' for classification. Did you mean 'accuracy'?" in str(caught.value)


def test_an_empty_name_is_told_before_anything_runs(site: Workbench) -> None:
    with pytest.raises(
        ConfigurationError, match=r"train_data of ClassificationRunner .*: is empty: name a file"
    ) as caught:
        runner(site, "config: {train_data: '', eval_data: ' '}", settings=["model_target=''"])
    assert sorted(str(fault).split(":")[0] for fault in caught.value.faults) == [
        "--set model_target",
        "dev1.yaml",
        "dev1.yaml",
    ]


def test_sources_that_there_are_not_are_told(site: Workbench) -> None:
    flow = runner(site)
    for source in ("eval", "other"):
        with pytest.raises(UsageError, match=f"there are no {source} data: set {source}_data"):
            flow.process_data(source)
    with pytest.raises(MlpipelineError, match="there are no predictions of dev"):
        flow.evaluate_ground_truth()


def test_numbers_are_predicted_by_the_runner_for_numbers(site: Workbench) -> None:
    text = """
        config: {train_data: train.csv, model_target: width, perf_metric: mae}
        train: {component: {model_trainer: NaiveTrainer}}
    """
    flow = load(site.write("dev.yaml", text), default=RegressionRunner)
    assert flow.main()["test"].keys() == {"rmse", "mae", "r2"}
    rows = flow.resource_version_control.get_data(versions(flow, Kind.PREDICTIONS, "dev/test")[0].digest)
    assert not [name for name in rows.columns if "proba" in name]


def test_a_series_is_forecast_past_its_end(site: Workbench) -> None:
    pytest.importorskip("statsmodels")
    values = [100 + month + 10 * (month % 12 == 11) for month in range(60)]
    months = pd.date_range("2020-01-01", periods=60, freq="MS")
    pd.DataFrame({"month": months, "sold": values}).to_csv("sales.csv", index=False)
    text = "config: {train_data: sales.csv, model_target: sold, time_index: month, forecast_period: 12, metrics: [mae]}"
    flow = load(site.write("sales.yaml", text), default=TimeSeriesRunner)
    metrics = flow.main()
    assert metrics["test"]["mae"] < 5
    job = versions(flow, Kind.PREDICTIONS, "sales/forecast")[0]
    rows = flow.resource_version_control.get_data(job.digest)
    assert list(rows["month"]) == list(pd.date_range("2025-01-01", periods=12, freq="MS"))
    assert rows["prediction"].iloc[11] == pytest.approx(182, abs=5)  # December has its peak
    pd.DataFrame({"month": ["soon", "later"], "sold": [1, 2]}).to_csv("sales.csv", index=False)
    with pytest.raises(DataFault, match="time_index: the column 'month' holds text that is no date"):
        flow.process_data()


FEATURES = """
train:
  component: {feature_transformer: SklearnFeatureTransformer}
  feature_transformer: {config: {transformers: [{transformer: StandardScaler, transformer_columns: [width]}]}}
config: {retrain_all: true, auto_approve_models: true, eval_data: train.csv}
"""


def test_what_makes_features_is_kept_with_the_model_and_used_where_it_predicts(site: Workbench) -> None:
    flow = runner(site, FEATURES)
    assert flow.main()["ground_truth"]["accuracy"] > 0.8
    again = runner(site, FEATURES)
    again.main()
    assert "as good as the former model's" in comparison(again, number=1).message
    final = versions(again, Kind.MODEL, "dev")[0]
    features = keeping.load_features(final, again.train.feature_transformer, again.resource_version_control)
    assert features.transform(iris()[["petals", "sepals", "width"]])["width"].mean() == pytest.approx(0, abs=1e-9)
    without = runner(site, APPROVING)
    without.main()
    assert (
        "reads features of SklearnFeatureTransformer, which this workflow does not have" in comparison(without).message
    )


def test_the_trainer_becomes_the_best_of_a_tuners_trials(site: Workbench) -> None:
    site.write(
        "components/tuner.py",
        "from mlpipeline.workflow import HyperparameterTuner\nclass Picks(HyperparameterTuner):\n"
        "    def tune(self, data, fit):\n"
        "        trials = [fit({'columns': [name]}) for name in ('sepals', 'petals')]\n"
        "        return max(trials, key=lambda each: each[1])[0]\n",
    )
    flow = runner(site, WEAK, "train: {component: {hyperparameter_tuner: Picks}}", "config: {retrain_all: true}")
    flow.main()
    assert flow.train.model_trainer.columns == ["petals"]
    final, before = versions(flow, Kind.MODEL, "dev")
    assert "petals" in str(final.facts["params.columns"])
    assert final.facts["params.columns"] == before.facts["params.columns"]


def test_what_was_written_does_not_tell_one_call_from_another_what_is_read_does(site: Workbench) -> None:
    flow = runner(site, "config: {local_dir: out, predictions: out/new.csv}")
    Path("out").mkdir()

    def digests() -> list[str]:
        calls = ((flow.process, "transform_data", ("train.csv",)), (flow.predict, "save_predictions", ()))
        return [content.of_call(part, name, given, {}, flow.plan.sources) for part, name, given in calls]

    before = digests()
    Path("out/new.csv").write_text("written")
    assert digests() == before
    iris().iloc[:100].to_csv("train.csv", index=False)
    assert digests()[0] != before[0]
    assert digests()[1] == before[1]
