"""Lets a new PostgreSQL table take the place of an old one, with all that hangs on it, while others read."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from mlpipeline.data.table_name import TableName, suffixed
from mlpipeline.errors import DatabaseError, DataFault

if TYPE_CHECKING:
    from mlpipeline.data.dialects.postgres import PostgresDialect

_LONGEST = 63
_TRY_MILLISECONDS = 200
_PATIENCE_SECONDS = 600.0
_MARK = "mlpipeline: the rows before the last replace"

_HINDRANCES = """
SELECT CASE relkind WHEN 'v' THEN 'it is a view' WHEN 'p' THEN 'it is partitioned' ELSE 'it is no table' END
  FROM pg_class WHERE oid = :oid AND relkind <> 'r'
UNION ALL SELECT 'it has row security' FROM pg_class WHERE oid = :oid AND relrowsecurity
UNION ALL SELECT format('it has the trigger %I', tgname) FROM pg_trigger WHERE tgrelid = :oid AND NOT tgisinternal
UNION ALL SELECT format('%s refers to it (%I)', conrelid::regclass, conname)
  FROM pg_constraint WHERE confrelid = :oid AND contype = 'f'
UNION ALL SELECT 'it inherits, or is inherited from' FROM pg_inherits WHERE :oid IN (inhrelid, inhparent)
UNION ALL SELECT format('the materialized view %s reads it', v.oid::regclass)
  FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
 WHERE d.classid = 'pg_rewrite'::regclass AND d.refobjid = :oid AND v.relkind = 'm'
"""
_INDEXES = """
SELECT c.relname, pg_get_constraintdef(k.oid), pg_get_indexdef(i.indexrelid),
       format('CREATE %sINDEX %I ON %I.%I ', CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, c.relname, n.nspname,
              t.relname)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = t.relnamespace
  LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = t.oid AND k.contype IN ('p', 'u', 'x')
 WHERE i.indrelid = :oid ORDER BY i.indexrelid
"""
_FOREIGN_KEYS = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = :oid AND contype = 'f'"
_VIEWS = """
SELECT DISTINCT format('%I.%I', n.nspname, v.relname), array_to_string(v.reloptions, ', '), pg_get_viewdef(v.oid)
  FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
  JOIN pg_namespace n ON n.oid = v.relnamespace
 WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = :oid
   AND v.relkind = 'v'
"""
_GRANTS = """
SELECT a.privilege_type, '', a.grantee, a.is_grantable FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = :oid
   AND a.grantee <> c.relowner
UNION ALL
SELECT a.privilege_type, format('(%I)', t.attname), a.grantee, a.is_grantable
  FROM pg_attribute t, aclexplode(t.attacl) a WHERE t.attrelid = :oid AND NOT t.attisdropped
"""
_SEQUENCES = """
SELECT format('%I.%I', n.nspname, s.relname), t.attname, d.deptype = 'i'
  FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace
  JOIN pg_attribute t ON t.attrelid = d.refobjid AND t.attnum = d.refobjsubid
 WHERE d.refobjid = :oid AND d.deptype IN ('a', 'i')
"""

_ROLE = "SELECT CASE WHEN :role = 0 THEN 'PUBLIC' ELSE CAST(CAST(:role AS oid) AS regrole)::text END"


class Swap:
    """One exchange, within one open transaction: `prepare`, then fill `new`, then `finish`.

    The former rows stay in `<table>_b` until the next exchange. Whoever writes to the table waits until the end, so
    that nothing written is lost; whoever reads waits for the moment of the exchange only.
    """

    def __init__(self, dialect: PostgresDialect, live: Any, table: TableName) -> None:
        self.dialect, self.live, self.table = dialect, live, table
        self.new = table.beside(f"mlp_new_{uuid.uuid4().hex[:12]}")
        self.backup = table.beside(suffixed(table.name, "_b", _LONGEST))
        self.oid = 0

    def prepare(self) -> None:
        """Makes the new table, without indexes: they are made when the rows are in.

        Raises:
            DataFault: when there is no such table, or something hangs on it that could not follow.
        """
        self._look()
        # Lets readers through and makes writers wait, another exchange among them.
        self._run(f"LOCK TABLE {self._quoted(self.table)} IN EXCLUSIVE MODE")
        self._look()  # another exchange may have been waited for: the table of this name is its new one now
        is_unlogged = self._all("SELECT relpersistence = 'u' FROM pg_class WHERE oid = :oid")[0][0]
        self._run(
            f"CREATE {'UNLOGGED ' if is_unlogged else ''}TABLE {self._quoted(self.new)} "
            f"(LIKE {self._quoted(self.table)} INCLUDING ALL EXCLUDING INDEXES)"
        )
        self._go_on_counting()

    def _look(self) -> None:
        """Finds the table, and refuses it where something hangs on it that could not follow."""
        name = self._quoted(self.table)
        ((found,),) = self._all("SELECT to_regclass(:name)::oid", name=name)
        if found is None:
            raise DataFault(f"there is no table {name}: create it first, or insert(…, create=True)")
        self.oid = int(found)
        if hindrances := [row[0] for row in self._all(_HINDRANCES)]:
            raise DataFault(f"{name} cannot be replaced: {'; '.join(hindrances)}. Delete and insert in a transaction")
        mark = self._all(
            "SELECT obj_description(to_regclass(:name), 'pg_class') FROM (SELECT 1) AS one WHERE to_regclass(:name) "
            "IS NOT NULL", name=self._quoted(self.backup),
        )  # fmt: skip
        if mark and mark[0][0] != _MARK:
            raise DataFault(
                f"{self._quoted(self.backup)}, where the former rows would stay, is another table: rename it"
            )

    def finish(self) -> None:
        """Makes indexes, and exchanges the tables as soon as no reader is at work for a moment.

        Raises:
            DatabaseError: when there was no such moment for ten minutes.
        """
        indexes = self._make_indexes()
        self._make_foreign_keys()
        self._run(f"ANALYZE {self._quoted(self.new)}")
        views = self._all(_VIEWS)
        self._copy_rights()
        self._wait_for_a_moment()
        self._run(f"DROP TABLE IF EXISTS {self._quoted(self.backup)}")
        for name, _ in indexes:
            self._rename_index(name, suffixed(name, "_b", _LONGEST))
        self._move_sequences()
        self._run(f"ALTER TABLE {self._quoted(self.table)} RENAME TO {self._q(self.backup.name)}")
        self._run(f"ALTER TABLE {self._quoted(self.new)} RENAME TO {self._q(self.table.name)}")
        for name, new in indexes:
            self._rename_index(new, name)
        for view, options, definition in views:
            with_options = f" WITH ({options})" if options else ""
            self._run(f"CREATE OR REPLACE VIEW {view}{with_options} AS {definition}")
        self._run(f"COMMENT ON TABLE {self._quoted(self.backup)} IS '{_MARK}'")

    def _make_indexes(self) -> list[tuple[str, str]]:
        """Makes each index of the old table on the new one. Returns their names, and the new ones' until the end."""
        made = []
        for name, constraint, definition, prefix in self._all(_INDEXES):
            new = f"mlp_new_{uuid.uuid4().hex[:12]}"
            if constraint is not None:
                self._add_constraint(new, constraint)
            else:
                unique = "UNIQUE " if prefix.startswith("CREATE UNIQUE ") else ""
                rest = definition.removeprefix(prefix)
                self._run(f"CREATE {unique}INDEX {self._q(new)} ON {self._quoted(self.new)} {rest}")
            made.append((name, new))
        return made

    def _make_foreign_keys(self) -> None:
        for name, definition in self._all(_FOREIGN_KEYS):
            self._add_constraint(name, definition)

    def _add_constraint(self, name: str, definition: str) -> None:
        self._run(f"ALTER TABLE {self._quoted(self.new)} ADD CONSTRAINT {self._q(name)} {definition}")

    def _copy_rights(self) -> None:
        new = self._quoted(self.new)
        for privilege, column, role, can_grant in self._all(_GRANTS):
            name = self._all(_ROLE, role=role)[0][0]
            self._run(f"GRANT {privilege} {column} ON {new} TO {name}{' WITH GRANT OPTION' if can_grant else ''}")
        owner, is_ours, comment = self._all(
            "SELECT relowner::regrole::text, relowner = current_user::regrole, quote_literal(obj_description(oid, "
            "'pg_class')) FROM pg_class WHERE oid = :oid"
        )[0]
        if comment is not None:
            self._run(f"COMMENT ON TABLE {new} IS {comment}")
        if not is_ours:
            self._run(f"ALTER TABLE {new} OWNER TO {owner}")

    def _go_on_counting(self) -> None:
        """Lets identity columns of the new table go on where those of the old one are: their sequences are new."""
        for sequence, column, is_identity in self._all(_SEQUENCES):
            if is_identity:
                self._all(
                    f"SELECT setval(pg_get_serial_sequence(:new, :column), last_value, is_called) FROM {sequence}",
                    new=self._quoted(self.new), column=column,
                )  # fmt: skip

    def _move_sequences(self) -> None:
        """Gives the sequences of serial columns to the new table: they would go with the old one else."""
        for sequence, column, is_identity in self._all(_SEQUENCES):
            if not is_identity:
                self._run(f"ALTER SEQUENCE {sequence} OWNED BY {self._quoted(self.new)}.{self._q(column)}")

    def _wait_for_a_moment(self) -> None:
        """Takes the lock in short tries: behind one that waits, every new reader would wait too."""
        psycopg_errors = self.dialect.engine.dialect.loaded_dbapi.errors
        end = time.monotonic() + _PATIENCE_SECONDS
        self._run(f"SET LOCAL lock_timeout = {_TRY_MILLISECONDS}")
        while True:
            self._run("SAVEPOINT mlp_moment")
            try:
                self._run(f"LOCK TABLE {self._quoted(self.table)} IN ACCESS EXCLUSIVE MODE")
                break
            except self.dialect.sa.exc.OperationalError as error:
                self._run("ROLLBACK TO SAVEPOINT mlp_moment")
                if not isinstance(error.orig, psycopg_errors.LockNotAvailable):
                    raise
                if time.monotonic() > end:
                    raise DatabaseError(
                        f"{self._quoted(self.table)} was read without a pause for {_PATIENCE_SECONDS:.0f} s, and is "
                        "not replaced: end the long queries of pg_stat_activity, and try again"
                    ) from error
                time.sleep(_TRY_MILLISECONDS / 1000)
        self._run("SET LOCAL lock_timeout TO DEFAULT")

    def _rename_index(self, old: str, new: str) -> None:
        self._run(f"ALTER INDEX {self.table.beside(old).quoted(self._q)} RENAME TO {self._q(new)}")

    def _q(self, name: str) -> str:
        return str(self.dialect.engine.dialect.identifier_preparer.quote_identifier(name))

    def _quoted(self, table: TableName) -> str:
        return table.quoted(self._q)

    def _run(self, sql: str) -> None:
        self.dialect.plain(self.live, sql)

    def _all(self, sql: str, **values: Any) -> list[Any]:
        statement = self.dialect.sa.text(sql)
        known = {"oid": self.oid, **values}
        used = {name: known[name] for name in statement.compile().params}
        return list(self.live.execute(statement, used).fetchall())
