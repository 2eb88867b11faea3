"""Connections by name: what config/database.cfg, .env and the environment say, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlpipeline.data import config_files, database_config
from mlpipeline.data import connections as of_the_project
from mlpipeline.data.connection import Connection
from mlpipeline.data.named import Connections
from mlpipeline.data.replicas import Replicas
from mlpipeline.errors import ConfigurationError, UnknownConnection


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (tmp_path / "mlp.config").write_text("[MLP]\n")
    (tmp_path / "config").mkdir()
    return tmp_path


def configure(root: Path, text: str, env: str | None = None) -> Connections:
    (root / "config" / "database.cfg").write_text(text)
    if env is not None:
        (root / ".env").write_text(env)
    return Connections(root)


def test_the_users_story(root: Path) -> None:
    made = configure(root, "[MAIN]\nurl: $DATABASE_URL\n", "# .env\nexport DATABASE_URL=sqlite:///dev.db  # a file\n")
    made.main.execute("create table users (id integer); insert into users values (1), (2)")
    (root / "extracts").mkdir()
    (root / "extracts" / "users.sql").write_text("select id from users limit :limit")
    for _ in range(2):
        assert made.main.dataframe(extract="users", limit=1, cache=True)["id"].tolist() == [1]
    assert (root / "dev.db").is_file()
    assert len(made.main.cache.entries()) == 1
    assert (root / "models" / "outputs" / "cache" / "index.db").is_file()
    assert made.main is made["main"]
    made.close()


def test_the_project_of_the_working_directory_is_found(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(root, "[MAIN]\nurl = sqlite://\n")
    (root / "models").mkdir()
    monkeypatch.chdir(root / "models")
    assert of_the_project.main.select("select 1") == [(1,)]
    assert "main" in dir(of_the_project)
    of_the_project.close()


def test_the_real_environment_wins(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///real.db")
    made = configure(root, "[MAIN]\nurl: ${DATABASE_URL}\n", "DATABASE_URL=sqlite:///env.db\n")
    assert made.main.url == "sqlite:///real.db"


@pytest.mark.parametrize(
    ("line", "expected"),
    [("X=plain", "plain"), ("export X=plain", "plain"), ("X='a # b'", "a # b"), ('X="two words"', "two words"),
     ("X=a=b", "a=b"), ("# X=comment\nX=1", "1"), ("X=1 # comment", "1"), ("  X = 1", "1"), ("X=", "")],
)  # fmt: skip
def test_env_files_are_read_as_shells_write_them(root: Path, line: str, expected: str) -> None:
    (root / ".env").write_text(f"# .env\n\n{line}\n")
    assert config_files.environment(root)["X"] == expected


def test_names_are_small_and_a_section_may_list_many(root: Path) -> None:
    made = configure(root, "[MAIN]\nurl: sqlite://\n\n[DATABASES]\nReports = sqlite:///r.db\nother: duckdb:///o.db\n")
    assert made.names() == ["main", "reports", "other"]
    assert made.reports.url == "sqlite:///r.db"
    assert made.MAIN.name == "main"


def test_several_urls_are_replicas(root: Path) -> None:
    made = configure(root, "[R]\nurls: sqlite:///a.db sqlite:///b.db\nsticky_connection: true\n")
    assert isinstance(made.r, Replicas)
    assert made.r.sticky
    assert [each.url for each in made.r.members] == ["sqlite:///a.db", "sqlite:///b.db"]


def test_options_go_to_the_engine_with_their_types(root: Path) -> None:
    made = configure(root, "[A]\nurl: sqlite:///a.db\npool_size: 3\npool_recycle=60\necho: no\npoolclass: NullPool\n")
    entry = database_config.read(root)["a"]
    assert entry.options["pool_size"] == 3
    assert entry.options["echo"] is False
    assert type(made.a) is Connection
    options = "[B]\nurl: sqlite:///a.db\npool_size: 3\nmax_overflow: 2\n"
    pool = configure(root, options).b.engine.pool
    assert (pool.size(), pool._max_overflow) == (3, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[A]\nurl: $NOWHERE\n", r"config/database\.cfg:2: \$NOWHERE is not set"),
        ("[A]\npool_size: 3\n", r"section \[A\] has no url"),
        ("[A]\nulr: x\n", r"section \[A\] has no url.* Did you mean 'url'\?"),
        ("[A]\nurl: sqlite://\nurls: sqlite://\n", "has url and urls"),
        ("[A]\nurl: sqlite://\npol_size: 3\n", r"cfg:3: unknown key 'pol_size'\. Did you mean 'pool_size'\?"),
        ("[A]\nurl: sqlite://\npool_size: many\n", r"cfg:3: pool_size = many: "),
        ("[A]\nurl: sqlite://\npoolclass: Pond\n", r"cfg:3: poolclass = Pond: is no pool"),
        ("[A]\nurl: sqlite://\nsticky_connection: maybe\n", r"cfg:3: sticky_connection: true or false"),
        ("[A]\nurl: sqlite://\nurl: sqlite://\n", r"database\.cfg:3: a key stands here a second time"),
        ("[A]\nurl: sqlite://\n[a]\nurl: sqlite://\n", "'a' is named twice"),
        ("url: sqlite://\n", r"database\.cfg:1: a line stands before"),
        ("[A]\nurl: nonsense\n", r"cfg:2: connection 'a': is no database URL"),
    ],
)
def test_faults_have_file_line_and_key(root: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        configure(root, text)["a"]


def test_a_fault_never_shows_a_url(root: Path) -> None:
    for text in (
        "[A]\nurl: postgres://u:s3cret@h:bad/d\n",
        "[A]\nurl: postgres://u:s3cret@h/d\npostgres://u:s3cret@h\n",
    ):
        with pytest.raises(ConfigurationError) as caught:
            configure(root, text)["a"]
        error: BaseException | None = caught.value
        while error is not None:
            assert "s3cret" not in f"{error!r} {error}"
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_a_dollar_is_written_twice_and_percent_is_nothing_special(root: Path) -> None:
    assert config_files.expand("a$$b%40$X", {"X": "$Y"}, "f:1") == "a$b%40$Y"


def test_an_unknown_connection_names_the_nearest(root: Path) -> None:
    made = configure(root, "[MAIN]\nurl: sqlite://\n")
    with pytest.raises(UnknownConnection, match=r"no connection 'maine'\. Did you mean 'main'\? Connections: main"):
        made["maine"]
    assert not hasattr(made, "maine")
    (root / "config" / "database.cfg").unlink()
    with pytest.raises(UnknownConnection, match="the file is not there"):
        Connections(root)["main"]


@pytest.mark.parametrize(
    ("text", "message"),
    [("cache_limit = lots", r"\[DATA\] cache_limit = lots: a size"), ("cach_limit = 1GB", "Did you mean 'cache_limit'"),
     ("cache_ttl = soon", "a number of seconds")],
)  # fmt: skip
def test_faulty_settings_of_the_cache_are_named(root: Path, text: str, message: str) -> None:
    (root / "mlp.config").write_text(f"[MLP]\n[DATA]\n{text}\n")
    with pytest.raises(ConfigurationError, match=message):
        configure(root, "[MAIN]\nurl: sqlite://\n")["main"]


def test_settings_of_the_cache_count(root: Path) -> None:
    (root / "mlp.config").write_text("[MLP]\n[DATA]\ncache_dir = kept\ncache_limit = 5MB\ncache_ttl = 2h\n")
    cache: Any = configure(root, "[MAIN]\nurl: sqlite://\n").main.cache
    assert (cache.directory, cache.limit_bytes, cache.ttl_seconds) == (root / "kept", 5_000_000, 7200.0)


# Other files for other environments.


@pytest.fixture
def production(root: Path) -> Path:
    """A project with a database of its own in production."""
    (root / "config" / "production").mkdir()
    (root / "config" / "database.cfg").write_text("[MAIN]\nurl: sqlite:///dev.db\n[NOTES]\nurl: sqlite:///notes.db\n")
    (root / "config" / "production" / "database.cfg").write_text("[MAIN]\nurl: sqlite:///live.db\n")
    return root


def test_an_environment_has_files_of_its_own(production: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Connections(production).main.url == "sqlite:///dev.db"
    monkeypatch.setenv("MLP_ENV", "production")
    made = Connections(production)
    assert made.main.url == "sqlite:///live.db"
    assert made.names() == ["main"], "the whole file is replaced"
    with pytest.raises(UnknownConnection, match=r"config/production/database\.cfg has no connection 'notes'"):
        made["notes"]


def test_the_environment_may_stand_in_dotenv(production: Path) -> None:
    (production / ".env").write_text("MLP_ENV=production\n")
    assert Connections(production).main.url == "sqlite:///live.db"


def test_a_file_that_an_environment_has_not_is_the_general_one(
    production: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLP_ENV", "production")
    (production / "config" / "redis.cfg").write_text("[QUEUE]\nurl: redis://here/3\n")
    assert Connections(production).names() == ["main", "queue"]
    (production / "config" / "production" / "redis.cfg").write_text("[BROKER]\nurl: redis://there\n")
    assert Connections(production).names() == ["main", "broker"]


def test_without_any_such_directory_the_general_files_count(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLP_ENV", "production")
    assert configure(root, "[MAIN]\nurl = sqlite://\n").main.select("select 1") == [(1,)]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ("prodution", "there is no config/prodution/. Did you mean 'production'?"),
        ("../elsewhere", "it must be the name of a directory in config/"),
    ],
)
def test_an_environment_that_is_not_there_is_no_other_one(
    production: Path, monkeypatch: pytest.MonkeyPatch, chosen: str, message: str
) -> None:
    monkeypatch.setenv("MLP_ENV", chosen)
    with pytest.raises(ConfigurationError) as caught:
        _ = Connections(production).main
    assert message in str(caught.value)


def test_faults_name_the_file_of_the_environment(production: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLP_ENV", "production")
    (production / "config" / "production" / "database.cfg").write_text("[MAIN]\nurl: $LIVE_URL\n")
    with pytest.raises(ConfigurationError, match=r"config/production/database\.cfg:2: \$LIVE_URL is not set"):
        _ = Connections(production).main


# Redis.


def told(root: Path, text: str) -> Any:
    (root / "config" / "redis.cfg").write_text(text)
    return Connections(root)


def test_servers_of_redis_are_connections_too(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    redis = pytest.importorskip("redis")
    monkeypatch.setenv("REDIS_URL", "redis://me:secret@host:7000/2")
    made = told(root, "[CACHE]\nurl: $REDIS_URL\nsocket_timeout: 2.5\n[OLD]\nurl: there\nport: 6380\ndb: 1\n")
    assert isinstance(made.cache, redis.Redis)
    kept = made.cache.connection_pool.connection_kwargs
    assert (kept["host"], kept["port"], kept["db"], kept["password"], kept["socket_timeout"]) == (
        "host", 7000, 2, "secret", 2.5,
    )  # fmt: skip
    kept = made.old.connection_pool.connection_kwargs
    assert (kept["host"], kept["port"], kept["db"], kept["socket_timeout"]) == ("there", 6380, 1, 30.0)
    assert made.cache is made["CACHE".lower()]
    made.close()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[CACHE]\nport: 1\n", "config/redis.cfg: section [CACHE] has no url"),
        ("[CACHE]\nurl: $NO_SUCH_URL\n", "config/redis.cfg:2: $NO_SUCH_URL is not set"),
        ("[CACHE]\nurl: here\nprot: 1\n", "config/redis.cfg:3: unknown key 'prot'. Did you mean 'port'?"),
        ("[CACHE]\nurl: here\nport: many\n", "config/redis.cfg:3: port = many"),
        ("[CACHE]\nurl: redis://here\nport: 1\n", "config/redis.cfg:3: url names the port already"),
        ("[CACHE]\nurl: http://me:secret@here\n", "config/redis.cfg:2: here: Redis URL must"),
        ("[CACHE]\nurl: here\n[cache]\nurl: there\n", "connection 'cache' is named twice"),
        ("[MAIN]\nurl: here\n", "config/database.cfg:2: 'main' is a server of Redis too, at config/redis.cfg:2"),
    ],
)
def test_faults_of_the_redis_file_have_file_and_line(root: Path, text: str, message: str) -> None:
    pytest.importorskip("redis")
    configure(root, "[MAIN]\nurl: sqlite://\n")
    with pytest.raises(ConfigurationError) as caught:
        told(root, text)["cache"]
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)
