"""When is a process asked to stop?

By SIGTERM or SIGINT, and a child of `billwright up` also by the end of its standard input, which
comes when the parent dies in whatever way: no child outlives it.
"""

from __future__ import annotations

import asyncio
import signal
import sys


def stop_requested() -> asyncio.Event:
    """An event of the running loop that is set by the first SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def stop_with_standard_input(stop: asyncio.Event) -> None:
    """Set `stop` too when standard input, a pipe on which nothing more is sent, ends."""
    loop, descriptor = asyncio.get_running_loop(), sys.stdin.fileno()

    def ended() -> None:
        loop.remove_reader(descriptor)
        stop.set()

    loop.add_reader(descriptor, ended)
