"""Which command shows what Billwright does?"""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from billwright.runtime.settings import load_settings
from billwright.surfaces.cli.api_client import ApiClient, ApiRefused, ApiUnreachable
from billwright.surfaces.cli.demo_key import demo_key_path, read_demo_key
from billwright.surfaces.cli.demo_story import Story
from billwright.surfaces.cli.demo_telling import StoryBroken
from billwright.surfaces.cli.server_address import server_url


def play(*, url: str | None, key: str | None, folder: Path) -> int:
    """Play the story and print it; the exit code is 1 when something in it is wrong."""
    settings = load_settings()
    console = Console(highlight=False, soft_wrap=True)
    tenant = settings.tenants[0]
    key = key or read_demo_key(settings.billwright_home, tenant)
    if key is None:
        console.print(
            f"There is no API key in {demo_key_path(settings.billwright_home, tenant)}. "
            "`billwright up` puts one there when it creates its demo seller; else give one by --key."
        )
        return 1
    try:
        client = ApiClient(url or server_url(settings), key=key)
        try:
            Story(client, console=console, folder=folder).tell()
        finally:
            client.close()
    except (ApiRefused, ApiUnreachable, StoryBroken) as error:
        console.print(f"\nThe demo has failed: {error}", style="bold red", markup=False)
        return 1
    return 0
