"""What can be done with the command `billwright`?

Every command loads what it needs when it runs, so that the others, and the help, stay quick.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

main = typer.Typer(
    name="billwright",
    help="Self-hosted subscription billing.",
    rich_markup_mode=None,  # loading rich would double the time of every help
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
tenant = typer.Typer(help="Create and list tenants.", rich_markup_mode=None, no_args_is_help=True)
main.add_typer(tenant, name="tenant")
key = typer.Typer(
    help="Create, list and revoke the API keys of a tenant.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
main.add_typer(key, name="key")

TenantCode = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's code.")]


class Surface(StrEnum):
    PLATFORM = "platform"
    MANAGER = "manager"
    ALL = "all"


@main.command()
def up() -> None:
    """Run everything together, with an embedded PostgreSQL unless DATABASE_URL is set."""
    import asyncio  # noqa: PLC0415

    from billwright.entrypoints.explained import explained  # noqa: PLC0415

    with explained():
        from billwright.entrypoints.all_in_one import run  # noqa: PLC0415
        from billwright.runtime.settings import load_settings  # noqa: PLC0415

        raise SystemExit(asyncio.run(run(load_settings())))


@main.command()
def api() -> None:
    """Run the HTTP server alone; needs DATABASE_URL and a migrated database."""
    from billwright.entrypoints.explained import explained  # noqa: PLC0415

    with explained():
        from billwright.entrypoints.single import run_api  # noqa: PLC0415
        from billwright.runtime.settings import load_settings  # noqa: PLC0415

        run_api(load_settings())


@main.command()
def worker() -> None:
    """Run the background work alone; needs DATABASE_URL and a migrated database."""
    from billwright.entrypoints.explained import explained  # noqa: PLC0415

    with explained():
        from billwright.entrypoints.single import run_worker  # noqa: PLC0415
        from billwright.runtime.settings import load_settings  # noqa: PLC0415

        run_worker(load_settings())


@main.command()
def migrate() -> None:
    """Bring the database's schema to this version."""
    from billwright.entrypoints.explained import explained  # noqa: PLC0415

    with explained():
        from billwright.entrypoints.migrate import migrate_configured  # noqa: PLC0415
        from billwright.runtime.settings import load_settings  # noqa: PLC0415

        steps = migrate_configured(load_settings())
    typer.echo(f"migrated: {', '.join(steps)}" if steps else "the schema is up to date")


@main.command()
def openapi(
    surface: Annotated[
        Surface, typer.Option(help="Which API's document; all merges them.")
    ] = Surface.ALL,
) -> None:
    """Print the OpenAPI document; needs no database."""
    from billwright.entrypoints.openapi import document_text  # noqa: PLC0415

    typer.echo(document_text(surface))


@main.command()
def doctor() -> None:
    """Check settings, folders, database, key and mail, and say what to do about what is wrong."""
    from billwright.surfaces.cli.doctor import examine  # noqa: PLC0415

    raise typer.Exit(examine())


@main.command()
def demo(
    url: Annotated[
        str | None, typer.Option(help="The server; else the one of the settings.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="The API key; else the demo key of the home folder.")
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where the invoice's PDF is saved.")] = Path(
        "billwright-demo"
    ),
) -> None:
    """Play a year of billing against a running server, through its public API."""
    from billwright.entrypoints.explained import explained  # noqa: PLC0415

    with explained():
        from billwright.surfaces.cli.demo import play  # noqa: PLC0415

        raise typer.Exit(play(url=url, key=key, folder=folder))


@tenant.command("create")
def create_tenant(
    code: Annotated[
        str,
        typer.Argument(metavar="CODE", help="How programs name it: letters, digits, - and _."),
    ],
    seller: Annotated[
        Path,
        typer.Option(
            help="The TOML file that describes the seller.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="How people name it; else the seller's name.")
    ] = None,
    key_name: Annotated[str, typer.Option(help="The name of its first API key.")] = "platform",
) -> None:
    """Create a tenant with its seller, and print its first API key, which is shown once."""
    from billwright.entrypoints.explained import explained  # noqa: PLC0415

    with explained():
        from billwright.surfaces.cli.tenants import create  # noqa: PLC0415

        raise typer.Exit(create(code, seller_file=seller, name=name, key_name=key_name))


@tenant.command("list")
def list_tenants() -> None:
    """List all tenants."""
    from billwright.entrypoints.explained import explained  # noqa: PLC0415

    with explained():
        from billwright.surfaces.cli.tenants import show_all  # noqa: PLC0415

        raise typer.Exit(show_all())


@key.command("create")
def create_key(
    tenant_code: TenantCode,
    name: Annotated[str, typer.Option(help="By which people know it, such as who uses it.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="billing:read, or billing:write, which is the default; repeatable."),
    ] = None,
    expires_on: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="From this day on it opens nothing, in the seller's time zone.",
        ),
    ] = None,
) -> None:
    """Create an API key and print it; it is shown once."""
    from billwright.entrypoints.explained import explained  # noqa: PLC0415

    with explained():
        from billwright.surfaces.cli.keys import create  # noqa: PLC0415

        day = None if expires_on is None else expires_on.date()
        raise typer.Exit(create(tenant_code, name=name, scopes=scope or (), expires_on=day))


@key.command("list")
def list_keys(tenant_code: TenantCode) -> None:
    """List a tenant's API keys; their texts are stored nowhere."""
    from billwright.entrypoints.explained import explained  # noqa: PLC0415

    with explained():
        from billwright.surfaces.cli.keys import show_all  # noqa: PLC0415

        raise typer.Exit(show_all(tenant_code))


@key.command("revoke")
def revoke_key(
    tenant_code: TenantCode,
    key_id: Annotated[
        UUID, typer.Argument(metavar="KEY_ID", help="As `billwright key list` shows it.")
    ],
) -> None:
    """Revoke an API key for good."""
    from billwright.entrypoints.explained import explained  # noqa: PLC0415

    with explained():
        from billwright.surfaces.cli.keys import revoke  # noqa: PLC0415

        raise typer.Exit(revoke(tenant_code, key_id))


@main.command()
def version() -> None:
    """Print the version."""
    from billwright import __version__  # noqa: PLC0415

    typer.echo(__version__)
