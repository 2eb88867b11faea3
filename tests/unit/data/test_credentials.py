"""What is secret is shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlpipeline.data import credentials
from mlpipeline.errors import ConfigurationError

URL = "postgres://bob:p%40ss@db.example:5432/app?sslmode=require&sslpassword=hush"


def test_a_url_is_shown_without_its_secrets() -> None:
    shown = credentials.shown(credentials.parse(URL, "x"))
    assert shown == "postgresql+psycopg://bob:***@db.example:5432/app?sslmode=require&sslpassword=***"


def test_a_place_is_host_and_database() -> None:
    assert credentials.place("postgres://u:p@h:5432/db?x=1") == "h:5432/db"


def test_each_spelling_of_a_secret_is_cleaned() -> None:
    hidden = credentials.secrets(credentials.parse(URL, "x"), [("token", "t0k"), ("echo", True)])
    assert credentials.clean("p@ss p%40ss hush t0k echo", hidden) == "*** *** *** *** echo"


@pytest.mark.parametrize("url", ["no url with s3cret", "://s3cret", "postgresql://u:s3cret@h:port/db", ""])
def test_what_is_no_url_is_refused_without_its_text(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        credentials.parse(url, "config/database.cfg:2")
    assert "config/database.cfg:2" in str(caught.value)
    error: BaseException | None = caught.value
    while error is not None:
        assert "s3cret" not in repr(error)
        error = error.__cause__


def identity(url: str, root: str = "/p", unique: str = "1") -> str:
    return credentials.identity(credentials.parse(url, "x"), Path(root), unique)


def test_the_identity_is_what_decides_which_data_are_seen() -> None:
    main = identity("postgres://u:p@h:5432/db")
    assert main == identity("postgresql+psycopg://u:other@h:5432/db")
    for other in ("postgres://v:p@h:5432/db", "postgres://u:p@i:5432/db", "postgres://u:p@h:5433/db",
                  "postgres://u:p@h:5432/two", "postgres://u:p@h:5432/db?options=-csearch_path%3Dx"):  # fmt: skip
        assert identity(other) != main
    assert identity("sqlite:///a.db") == identity("sqlite:////p/a.db") != identity("sqlite:///a.db", "/q")
    assert identity("sqlite://") != identity("sqlite://", unique="2")
