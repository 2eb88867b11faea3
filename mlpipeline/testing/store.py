"""What every Store must do, as a class of tests to inherit."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

from mlpipeline.data.store import LONGEST_KEY_BYTES, Store
from mlpipeline.errors import DataFault

_AWKWARD_KEYS = (
    "plain",
    "a/b/c.txt",
    "/leading",
    "trailing/",
    "..",
    ".",
    ".part",
    "x.part",
    "with blank",
    "per%20cent",
    "star*[a-z]?",
    "back\\slash",
    "ключ-鍵-🔑",
    "a=1&b='2'",
    "UPPER",
    "upper",
    "k" * LONGEST_KEY_BYTES,
)
_WRONG_KEYS = ("", "k" * (LONGEST_KEY_BYTES + 1), "new\nline", "nul\0", "\ud800")
_BYTES = bytes(range(256)) * 40


class StoreContract(ABC):
    """Inherit it in a test module, as `class TestMyStore(StoreContract)`, and return an empty store."""

    @abstractmethod
    def make_store(self) -> Store:
        """Returns a new, empty store."""

    def test_what_is_put_is_got(self) -> None:
        """The same bytes come back, whatever they are."""
        store = self.make_store()
        for value in (b"", b"\0", _BYTES, b"x" * 1_000_000):
            store.put("key", value)
            assert store.get("key") == value
        store.put("key", bytearray(b"mutable"))
        assert store.get("key") == b"mutable"

    def test_a_key_that_is_not_there_is_a_key_error(self) -> None:
        """Nothing is made up for it, and removing it is no error."""
        store = self.make_store()
        for key in ("absent", "absent/below"):
            try:
                store.get(key)
            except KeyError:
                continue
            raise AssertionError("get returned something for a key that was never put")
        assert "absent" not in store
        store.delete("absent")
        assert list(store.keys()) == []
        assert store.size() == 0

    def test_the_last_value_counts(self) -> None:
        """A second put replaces the first, in the size as well."""
        store = self.make_store()
        store.put("key", b"first, and longer")
        store.put("key", b"second")
        assert store.get("key") == b"second"
        assert list(store.keys()) == ["key"]
        assert store.size() == len(b"second")

    def test_what_is_deleted_is_gone(self) -> None:
        """The others stay."""
        store = self.make_store()
        store.put("one", b"1")
        store.put("two", b"22")
        store.delete("one")
        assert "one" not in store
        assert "two" in store
        assert list(store.keys()) == ["two"]
        assert store.size() == 2

    def test_keys_are_text_of_any_kind(self) -> None:
        """No key is taken for another, for a pattern, or for a path that leads elsewhere."""
        store = self.make_store()
        for number, key in enumerate(_AWKWARD_KEYS):
            store.put(key, str(number).encode())
        assert {key: store.get(key) for key in _AWKWARD_KEYS} == {
            key: str(number).encode() for number, key in enumerate(_AWKWARD_KEYS)
        }
        assert sorted(store.keys()) == sorted(_AWKWARD_KEYS)
        for key in _AWKWARD_KEYS:
            assert key in store
            store.delete(key)
        assert list(store.keys()) == []

    def test_keys_that_no_store_can_hold_are_refused(self) -> None:
        """By all methods alike, with a message."""
        store = self.make_store()
        for key in _WRONG_KEYS:
            for use in (store.get, store.delete, lambda wrong: store.put(wrong, b"")):
                try:
                    use(key)
                except DataFault:
                    continue
                raise AssertionError(f"the key {key[:20]!r} was taken")

    def test_only_bytes_are_kept(self) -> None:
        """Text is not encoded by guess."""
        store = self.make_store()
        try:
            store.put("key", "text")  # type: ignore[arg-type]
        except TypeError:
            assert "key" not in store
        else:
            raise AssertionError("text was taken")

    def test_keys_and_sizes_are_those_of_a_prefix(self) -> None:
        """A prefix is text, and no pattern."""
        store = self.make_store()
        for key, value in {"a/1": b"x", "a/2": b"xy", "ab": b"xyz", "*": b"star", "b": b""}.items():
            store.put(key, value)
        assert sorted(store.keys("a/")) == ["a/1", "a/2"]
        assert sorted(store.keys("a")) == ["a/1", "a/2", "ab"]
        assert list(store.keys("*")) == ["*"]
        assert list(store.keys("nothing")) == []
        assert store.size("a/") == 3
        assert store.size() == 10

    def test_keys_may_be_removed_while_they_are_listed(self) -> None:
        """Listing is not disturbed by what is done with what was listed."""
        store = self.make_store()
        for number in range(20):
            store.put(f"key {number}", b"x")
        for key in list(store.keys()):
            store.delete(key)
        assert store.size() == 0

    def test_threads_see_whole_values(self) -> None:
        """Who reads while another writes gets the former value or the new one, and no piece of either."""
        store = self.make_store()
        values = [bytes([letter]) * 100_000 for letter in b"ab"]
        store.put("key", values[0])
        found: list[bytes | BaseException] = []

        def write() -> None:
            for number in range(10):
                store.put("key", values[number % 2])

        def read() -> None:
            try:
                found.extend(store.get("key") for _ in range(20))
            except BaseException as error:  # told to the test, which runs in another thread
                found.append(error)

        threads = [threading.Thread(target=each) for each in (write, read, read)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 40
        assert all(each in values for each in found), [each for each in found if each not in values][:1]
