"""How does localstripe run for tests: on 127.0.0.1 alone, on a free port, keeping nothing on disk?

A process of its own, since localstripe is under the GPL; nothing of the product imports this. It prints
its port when it listens.
"""

from __future__ import annotations

import socket

from aiohttp import web
from localstripe.resources import Store
from localstripe.server import app


def main() -> None:
    Store.dump_to_disk = lambda self: None
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print(listener.getsockname()[1], flush=True)  # noqa: T201 - this is how the test learns of it
    web.run_app(app, sock=listener, print=None, access_log=None)


if __name__ == "__main__":
    main()
