"""A process that runs an embedded server until it is told to stop, or is killed.

Started with the home, the folder of the programs ("" for the wheel's) and the user id to run as. Prints
one line, the address or the refusal; stops in order when its standard input ends.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from billwright.runtime.db.embedded import EmbeddedPostgres, EmbeddedPostgresError


def main(home: str, programs: str, uid: str) -> None:
    if int(uid) != os.geteuid():
        os.setgroups([])
        os.setgid(int(uid))
        os.setuid(int(uid))
    server = EmbeddedPostgres(Path(home), bin_dir=Path(programs) if programs else None)
    try:
        sys.stdout.write(f"{server.start()}\n")
    except EmbeddedPostgresError as error:
        sys.stdout.write(f"refused: {error}\n")
        return
    sys.stdout.flush()
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
