"""Tables of warehouses elsewhere, through their own dialects of SQLAlchemy, which extras bring."""

from __future__ import annotations

from mlpipeline.workflow.components.data_connectors.sql import SQLDataConnector, made_url


class RedshiftDataConnector(SQLDataConnector):
    """Tables of Amazon Redshift: `pip install 'mlpipeline[redshift]'`.

    Attributes:
        redshift_host, redshift_port, redshift_user, redshift_password, redshift_dbname: where it is.
    """

    redshift_host: str | None = None
    redshift_port: int = 5439
    redshift_user: str | None = None
    redshift_password: str | None = None
    redshift_dbname: str | None = None

    def _url(self) -> str | None:
        if self.redshift_host is None:
            return super()._url()
        return made_url(
            "redshift+redshift_connector",
            username=self.redshift_user,
            password=self.redshift_password,
            host=self.redshift_host,
            port=self.redshift_port,
            database=self.redshift_dbname,
        )

    @classmethod
    def _keys(cls) -> str:
        return "redshift_host"


class SnowflakeDataConnector(SQLDataConnector):
    """Tables of Snowflake: `pip install 'mlpipeline[snowflake]'`.

    Attributes:
        snowflake_account, snowflake_user, snowflake_password, snowflake_database, snowflake_schema: where it is.
        snowflake_warehouse, snowflake_role: what works there, and as whom; by default the user's own.
    """

    snowflake_account: str | None = None
    snowflake_user: str | None = None
    snowflake_password: str | None = None
    snowflake_database: str | None = None
    snowflake_schema: str | None = None
    snowflake_warehouse: str | None = None
    snowflake_role: str | None = None

    def _url(self) -> str | None:
        if self.snowflake_account is None:
            return super()._url()
        query = {"warehouse": self.snowflake_warehouse, "role": self.snowflake_role}
        place = "/".join(each for each in (self.snowflake_database, self.snowflake_schema) if each)
        return made_url(
            "snowflake",
            username=self.snowflake_user,
            password=self.snowflake_password,
            host=self.snowflake_account,
            database=place or None,
            query={key: value for key, value in query.items() if value},
        )

    @classmethod
    def _keys(cls) -> str:
        return "snowflake_account"


class BigQueryDataConnector(SQLDataConnector):
    """Tables of BigQuery: `pip install 'mlpipeline[bigquery]'`.

    Attributes:
        google_project, google_dataset: where tables are that are named without them.
        google_keyfile: the path of a service account's key; by default Google's own variables say who asks.
    """

    google_project: str | None = None
    google_dataset: str | None = None
    google_keyfile: str | None = None

    def _url(self) -> str | None:
        if self.google_project is None:
            return super()._url()
        query = {} if self.google_keyfile is None else {"credentials_path": self.google_keyfile}
        return made_url("bigquery", host=self.google_project, database=self.google_dataset, query=query)

    @classmethod
    def _keys(cls) -> str:
        return "google_project"


class DatabricksDataConnector(SQLDataConnector):
    """Tables of a Databricks SQL warehouse: `pip install 'mlpipeline[databricks]'`.

    Attributes:
        databricks_server_hostname, databricks_http_path: as the warehouse's connection details say them.
        databricks_token: a personal access token; write it as `${env:NAME}`.
        databricks_catalog, databricks_schema: of tables that are named without them.
    """

    databricks_server_hostname: str | None = None
    databricks_http_path: str | None = None
    databricks_token: str | None = None
    databricks_catalog: str | None = None
    databricks_schema: str | None = None

    def _url(self) -> str | None:
        if self.databricks_server_hostname is None:
            return super()._url()
        query = {
            "http_path": self.databricks_http_path,
            "catalog": self.databricks_catalog,
            "schema": self.databricks_schema,
        }
        return made_url(
            "databricks",
            username="token",
            password=self.databricks_token,
            host=self.databricks_server_hostname,
            query={key: value for key, value in query.items() if value},
        )

    @classmethod
    def _keys(cls) -> str:
        return "databricks_server_hostname"
