"""Amazon Redshift through its SQLAlchemy dialect: bulk data goes by way of S3, as Parquet."""

from __future__ import annotations

import os

from mlpipeline.data.dialects.dialect import Dialect
from mlpipeline.data.table_name import TableName
from mlpipeline.errors import ConfigurationError

ROLE = "IAM_ROLE"


class RedshiftDialect(Dialect):
    """The ways of Redshift. The variable IAM_ROLE names the role with which the cluster reads and writes S3."""

    savepoints = False

    def unload_sql(self, url: str) -> str | None:
        """Returns UNLOAD for a place on S3; for others the rows come through this process."""
        if not url.startswith("s3://"):
            return None
        query, place = "UNLOAD ($mlp${}$mlp$)", _literal(url.rstrip("/") + "/part-")
        return f"{query} TO {place} IAM_ROLE {_literal(_role())} FORMAT PARQUET"

    def load_sql(self, table: TableName, url: str) -> str | None:
        """Returns COPY for a place on S3; for others the rows come through this process."""
        if not url.startswith("s3://"):
            return None
        role = _literal(_role())
        return f"COPY {table.quoted(self.quote)} FROM {_literal(url)} IAM_ROLE {role} FORMAT AS PARQUET"


def _role() -> str:
    role = os.environ.get(ROLE, "")
    if not role:
        raise ConfigurationError(f"${ROLE} is not set: name the role with which Redshift reads and writes S3")
    return role


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
