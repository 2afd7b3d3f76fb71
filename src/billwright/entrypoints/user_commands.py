"""What can be done with the command `billwright user`?"""

from __future__ import annotations

from typing import Annotated

import typer

user = typer.Typer(
    help="Let the first administrator in, list users, and lock them out.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

TenantCode = Annotated[str, typer.Option("--tenant", metavar="TENANT", help="The tenant's code.")]
KnownEmail = Annotated[
    str, typer.Argument(metavar="EMAIL", help="As `billwright user list` shows it.")
]


@user.command("create-admin")
def create_admin(
    tenant_code: TenantCode,
    email: Annotated[str, typer.Option(help="The address by which they sign in.")],
    password_stdin: Annotated[  # noqa: FBT002
        bool,
        typer.Option(
            "--password-stdin", help="Read the password from standard input instead of asking."
        ),
    ] = False,
) -> None:
    """Create the first administrator of a tenant that has none."""
    from billwright.entrypoints.explained import explained  # noqa: PLC0415

    with explained():
        from billwright.surfaces.cli import users  # noqa: PLC0415

        password = users.read_password() if password_stdin else users.ask_for_password()
        raise typer.Exit(users.create_admin(tenant_code, email=email, password=password))


@user.command("list")
def list_users(tenant_code: TenantCode) -> None:
    """List a tenant's users, newest first."""
    from billwright.entrypoints.explained import explained  # noqa: PLC0415

    with explained():
        from billwright.surfaces.cli.users import show_all  # noqa: PLC0415

        raise typer.Exit(show_all(tenant_code))


@user.command("lock")
def lock_user(email: KnownEmail, tenant_code: TenantCode) -> None:
    """Refuse everything that is asked in a user's name, until the user is unlocked."""
    from billwright.entrypoints.explained import explained  # noqa: PLC0415

    with explained():
        from billwright.surfaces.cli.users import lock  # noqa: PLC0415

        raise typer.Exit(lock(tenant_code, email=email))


@user.command("unlock")
def unlock_user(email: KnownEmail, tenant_code: TenantCode) -> None:
    """Let a locked user in again."""
    from billwright.entrypoints.explained import explained  # noqa: PLC0415

    with explained():
        from billwright.surfaces.cli.users import unlock  # noqa: PLC0415

        raise typer.Exit(unlock(tenant_code, email=email))
