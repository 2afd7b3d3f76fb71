"""Where is the key of the demo seller kept?"""

from __future__ import annotations

from pathlib import Path


def demo_key_path(home: Path) -> Path:
    """The file, readable by the account that runs Billwright only."""
    return home / "demo.key"


def read_demo_key(home: Path) -> str | None:
    """The key's text; none where no demo seller was created."""
    try:
        return demo_key_path(home).read_text().strip() or None
    except OSError:
        return None
