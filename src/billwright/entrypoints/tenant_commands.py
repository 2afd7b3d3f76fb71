"""What can be done with the commands `billwright tenant` and `billwright key`?"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

tenant = typer.Typer(
    help="Create, change and list tenants.", rich_markup_mode=None, no_args_is_help=True
)
key = typer.Typer(
    help="Create, list and revoke the API keys of a tenant.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

TenantCode = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's code.")]
SellerFile = Annotated[
    Path,
    typer.Option(
        help="The TOML file that describes the seller.",
        exists=True,
        dir_okay=False,
        readable=True,
    ),
]


@tenant.command("create")
def create_tenant(
    code: Annotated[
        str,
        typer.Argument(metavar="CODE", help="How programs name it: letters, digits, - and _."),
    ],
    seller: SellerFile,
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


@tenant.command("update")
def update_tenant(tenant_code: TenantCode, seller: SellerFile) -> None:
    """Make a tenant's seller what the file says, in all of its data and settings."""
    from billwright.entrypoints.explained import explained  # noqa: PLC0415

    with explained():
        from billwright.surfaces.cli.tenants import update  # noqa: PLC0415

        raise typer.Exit(update(tenant_code, seller_file=seller))


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
        typer.Option(
            help="What it opens, such as billing:read, invoices:read or usage:write; repeatable. "
            "Without any, billing:write, which is everything."
        ),
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
