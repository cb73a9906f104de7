"""What of Java one call at a time works on, and whoever is the last to work on it releases: a call that does not come back cannot be told to."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from ...errors import Unavailable

T = TypeVar("T")


class Held:
    """Something that is worked on in threads, and released once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_used = False
        self._is_over = False

    def release(self) -> None:
        """Give back what it has of Java. Called once, in a thread that may wait."""
        raise NotImplementedError

    def use(self, function: Callable[..., T], *args: object) -> T:
        """Work on it, in a thread.

        :raises Unavailable: it was ended before.
        """
        with self._lock:
            if self._is_over:
                raise Unavailable("it was given up")
            self._is_used = True
        try:
            return function(*args)
        finally:
            if self._is_left():
                self.release()

    def _is_left(self) -> bool:
        with self._lock:
            self._is_used = False
            return self._is_over

    def end(self) -> bool:
        """Have it worked on no more. In any thread; idempotent.

        :return: whether it is to be released now; else it was before, or whoever works on it does that.
        """
        with self._lock:
            if self._is_over:
                return False
            self._is_over = True
            return not self._is_used
