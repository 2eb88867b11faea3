"""What must not be shown is not."""

from __future__ import annotations

import pytest

from mlpipeline.workflow import secrets


@pytest.mark.parametrize(
    "name",
    ["password", "db_password", "API_KEY", "apiKey", "aws_secret_access_key", "token", "hf-token", "secret",
     "credentials", "AWS_SESSION_TOKEN", "private_key", "dbPassword", "smtp.passwd"],
)  # fmt: skip
def test_names_of_secrets_are_known(name: str) -> None:
    assert secrets.is_secret(name)


@pytest.mark.parametrize(
    "name", ["max_tokens", "tokenizer", "key", "keyboard", "passage", "key_columns", "monkey", "n_keys"]
)
def test_other_names_are_none(name: str) -> None:
    assert not secrets.is_secret(name)


def test_values_are_shown_without_their_secrets() -> None:
    value = {
        "url": "postgres://me:hunter22@host/db",
        "a": {"token": "abcdef"},
        "l": ["x abcdef y"],
        "n": 3,
        "password": "",
    }
    assert secrets.shown(value) == {
        "url": "postgres://me:***@host/db", "a": {"token": "***"}, "l": ["x *** y"], "n": 3, "password": "",
    }  # fmt: skip


def test_numbers_that_are_secrets_are_hidden_and_booleans_are_not() -> None:
    assert secrets.shown({"pin_token": 4711, "has_token": True}) == {"pin_token": "***", "has_token": True}


def test_short_secrets_are_replaced_only_where_they_stand_alone() -> None:
    assert secrets.clean("abc a x", ["a"]) == "abc *** x"
    assert secrets.clean("longsecretlong", ["secret", "longsecret"]) == "***long"
