"""Where are the keys of demo sellers kept?"""

from __future__ import annotations

from pathlib import Path

from billwright.runtime.settings import DEFAULT_TENANT


def demo_key_path(home: Path, tenant: str) -> Path:
    """The file of a tenant's key, readable by the account that runs Billwright only."""
    return home / ("demo.key" if tenant == DEFAULT_TENANT else f"demo-{tenant}.key")


def read_demo_key(home: Path, tenant: str) -> str | None:
    """The key's text; none where no demo seller was created."""
    try:
        return demo_key_path(home, tenant).read_text().strip() or None
    except OSError:
        return None
