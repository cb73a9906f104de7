"""What an error holds of where it was raised."""

from __future__ import annotations


def forget_frames(error: BaseException) -> None:
    """Let go of the frames that an error came through, once it is dealt with.

    One that a Deferred failed with came through a frame that has the Deferred, which has the error: all that any of these
    frames knows would stay until the garbage is collected. The errors that led to it are no better.
    """
    led: list[BaseException | None] = [error]
    while led:
        each = led.pop()
        if each is not None and each.__traceback__ is not None:
            each.__traceback__ = None
            led += (each.__cause__, each.__context__)
