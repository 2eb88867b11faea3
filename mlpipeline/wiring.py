"""Fills the registry with every built-in part, as text, loaded on use; called by entry points, else by the registry."""

from __future__ import annotations

from collections.abc import Callable

from mlpipeline import plugins

_ENCODERS = (
    "Boolean", "Discrete", "Enum", "Equals", "MiddleOut", "NestedNorm", "NestedUnique", "Norm", "OneHot", "Pass",
    "Quantile", "Static", "Token", "Uniform", "Unique",
)  # fmt: skip
_TRANSFORMERS = (
    "Age", "AreaCode", "DateTime", "Distance", "EmailDomain", "Extract", "GeoIP", "IsNull", "Length", "Log",
    "LogPlusOne", "Map", "NameAge", "NameFamilial", "NamePopulation", "NameSex", "Period", "String",
)  # fmt: skip
_COMPONENTS = "mlpipeline.workflow.components"
_PIPELINES = (
    ("OfflineProcess", "process"), ("OfflineTrain", "train"), ("OfflineDeploy", "deploy"),
    ("OfflinePredict", "predict"),
)  # fmt: skip
_RUNNERS = (
    ("ClassificationRunner", "classification"), ("RegressionRunner", "regression"), ("TimeSeriesRunner", "time_series"),
)  # fmt: skip
_RECORDS = (
    ("AppriseNotifier", "apprise_notifier"),
    ("DigestVersionControl", "digest_version_control"),
    ("DvcVersionControl", "dvc_version_control"),
    ("LedgerMetricsTracker", "ledger_metrics_tracker"),
    ("LedgerTracker", "ledger_tracker"),
    ("LocalCacheManager", "local_cache_manager"),
    ("LocalModelRepository", "local_model_repository"),
    ("LocalTestRecorder", "local_test_recorder"),
    ("LogNotifier", "log_notifier"),
    ("MLflowMetricsTracker", "mlflow_metrics_tracker"),
    ("MLflowTracker", "mlflow_tracker"),
    ("SmtpNotifier", "smtp_notifier"),
    ("WebhookNotifier", "webhook_notifier"),
)
_ESTIMATORS = "mlpipeline.learning.estimators"
_DATA_COMPONENTS = (
    ("LocalDataConnector", "data_connectors.files"),
    ("S3DataConnector", "data_connectors.files"),
    ("SQLDataConnector", "data_connectors.sql"),
    ("DuckDBDataConnector", "data_connectors.sql"),
    ("PostgresDataConnector", "data_connectors.sql"),
    ("BigQueryDataConnector", "data_connectors.warehouses"),
    ("DatabricksDataConnector", "data_connectors.warehouses"),
    ("RedshiftDataConnector", "data_connectors.warehouses"),
    ("SnowflakeDataConnector", "data_connectors.warehouses"),
    ("LocalDataTransformer", "data_transformers.local"),
    ("SQLDataTransformer", "data_transformers.sql"),
    ("DbtDataTransformer", "data_transformers.dbt"),
    ("LocalDataSplitter", "data_splitter"),
    ("SklearnFeatureTransformer", "feature_transformers.sklearn"),
    ("FeatureEngineFeatureTransformer", "feature_transformers.feature_engine"),
    ("EncoderFeatureTransformer", "feature_transformers.encoders"),
    ("LocalFeatureTransformer", "feature_transformers.local"),
    ("LocalDataProfiler", "data_profilers.local"),
    ("SweetvizDataProfiler", "data_profilers.sweetviz"),
    ("LocalDataChecker", "data_checkers.local"),
    ("PanderaDataChecker", "data_checkers.pandera"),
    ("DriftDataChecker", "data_checkers.drift"),
    ("StumpyMatrixProfiler", "data_checkers.stumpy"),
    ("LocalDataSynthesizer", "data_synthesizer"),
)
_MODEL_COMPONENTS = {
    "model_trainers.trees": ("XGBoostTrainer", "LightGBMTrainer", "CatBoostTrainer"),
    "model_trainers.plain": ("KerasTrainer", "NaiveTrainer"),
    "model_trainers.sklearn": ("SklearnTrainer",),
    "model_trainers.forecasts": ("HoltWintersTrainer", "ProphetTrainer"),
    "hyperparameter_tuners": ("GridTuner", "OptunaTuner"),
    "model_checkers.local": ("LocalModelChecker",),
    "model_checkers.bias": ("LocalBiasChecker", "FairlearnBiasChecker"),
    "model_deployers.local": ("LocalDeployer",),
    "model_deployers.docker": ("DockerDeployer",),
    "model_deployers.kubernetes": ("KubernetesDeployer",),
    "model_explainers": ("PermutationExplainer", "ShapExplainer"),
    "model_visualizers": ("SklearnVisualizer", "ProphetVisualizer"),
}
_TEXTS = "mlpipeline.workflow.components.text_generators"

BUILT_IN = (
    ("executor", "inline", "mlpipeline.execution.inline:InlineExecutor"),
    ("executor", "local", "mlpipeline.execution.local:LocalExecutor"),
    ("executor", "ray", "mlpipeline.execution.ray:RayExecutor"),
    ("executor", "slurm", "mlpipeline.execution.slurm:SlurmExecutor"),
    ("examination", "ray", "mlpipeline.execution.ray_examination:examine"),
    ("examination", "slurm", "mlpipeline.execution.slurm_examination:examine"),
    ("dialect", "bigquery", "mlpipeline.data.dialects.warehouse:WarehouseDialect"),
    ("dialect", "databricks", "mlpipeline.data.dialects.warehouse:WarehouseDialect"),
    ("dialect", "duckdb", "mlpipeline.data.dialects.duck:DuckDialect"),
    ("dialect", "postgresql", "mlpipeline.data.dialects.postgres:PostgresDialect"),
    ("dialect", "redshift", "mlpipeline.data.dialects.redshift:RedshiftDialect"),
    ("dialect", "snowflake", "mlpipeline.data.dialects.snowflake:SnowflakeDialect"),
    ("dialect", "sqlite", "mlpipeline.data.dialects.sqlite:SqliteDialect"),
    ("store", "file", "mlpipeline.data.stores.disk:DiskStore"),
    ("store", "memory", "mlpipeline.data.stores.memory:MemoryStore"),
    ("store", "redis", "mlpipeline.data.stores.redis:RedisStore"),
    ("store", "rediss", "mlpipeline.data.stores.redis:RedisStore"),
    ("store", "unix", "mlpipeline.data.stores.redis:RedisStore"),
    *(("encoder", name, f"mlpipeline.data.encoders:{name}") for name in _ENCODERS),
    *(("transformer", name, f"mlpipeline.data.transformers:{name}") for name in _TRANSFORMERS),
    ("estimator", "naive", f"{_ESTIMATORS}.naive:Naive"),
    ("estimator", "xgboost", f"{_ESTIMATORS}.xgboost:XGBoost"),
    ("estimator", "sklearn", f"{_ESTIMATORS}.sklearn:SKLearn"),
    ("estimator", "holt_winters", f"{_ESTIMATORS}.holt_winters:HoltWinters"),
    ("estimator", "lightgbm", f"{_ESTIMATORS}.lightgbm:LightGBM"),
    ("estimator", "catboost", f"{_ESTIMATORS}.catboost:CatBoost"),
    ("estimator", "prophet", f"{_ESTIMATORS}.prophet:Prophet"),
    ("estimator", "keras", f"{_ESTIMATORS}.keras:Keras"),
    # What a workflow needs of learning, which it does not know: it asks for it by these names.
    ("learning", "model", "mlpipeline.learning.estimator_model:EstimatorModel"),
    ("learning", "scores", "mlpipeline.learning.scores:SCORES"),
    *(("component", name, f"{_COMPONENTS}.{module}:{name}") for name, module in _RECORDS),
    *(("pipeline", name, f"mlpipeline.workflow.pipelines.{module}:{name}") for name, module in _PIPELINES),
    *(("runner", name, f"mlpipeline.workflow.runners.{module}:{name}") for name, module in _RUNNERS),
    *(("component", name, f"{_COMPONENTS}.{target}:{name}") for name, target in _DATA_COMPONENTS),
    ("learning", "score", "mlpipeline.learning.scores:named"),
    ("learning", "score_names", "mlpipeline.learning.scores:names"),
    ("learning", "evaluate", "mlpipeline.learning.scores:evaluate"),
    ("learning", "target", "mlpipeline.learning.target:Target"),
    ("learning", "save", "mlpipeline.learning.serializers:save"),
    ("learning", "explain", "mlpipeline.learning.explain:explain"),
    ("learning", "by_hand", "mlpipeline.execution.by_hand:begin"),
    ("learning", "bars", "mlpipeline.learning.explain.pictures:bars"),
    *(
        ("component", name, f"{_COMPONENTS}.{module}:{name}")
        for module, names in _MODEL_COMPONENTS.items()
        for name in names
    ),
    ("component", "LocalTextGenerator", f"{_TEXTS}.local:LocalTextGenerator"),
    ("component", "OpenAITextGenerator", f"{_TEXTS}.openai:OpenAITextGenerator"),
    ("model_format", ".yaml", "mlpipeline.workflow.model_file:load"),
)


def wire(register: Callable[[str, str, str], None] = plugins.register) -> None:
    """Registers what the package brings along. Imports none of it; may be called again."""
    for kind, name, target in BUILT_IN:
        register(kind, name, target)
