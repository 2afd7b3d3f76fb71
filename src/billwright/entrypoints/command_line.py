"""What can be done with the command `billwright`?

Every command loads what it needs when it runs, so that the others, and the help, stay quick.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from billwright.entrypoints.tenant_commands import key, tenant
from billwright.entrypoints.user_commands import user

main = typer.Typer(
    name="billwright",
    help="Self-hosted subscription billing.",
    rich_markup_mode=None,  # loading rich would double the time of every help
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
dunning = typer.Typer(
    help="Try out what is done about unpaid invoices.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
main.add_typer(tenant, name="tenant")
main.add_typer(key, name="key")
main.add_typer(user, name="user")
main.add_typer(dunning, name="dunning")

_INSTANTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]


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
def bill(
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=_INSTANTS,
            help="Up to this instant (UTC); else now.",
        ),
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(help="The code of one tenant; else all of them.")
    ] = None,
    dry_run: Annotated[  # noqa: FBT002
        bool, typer.Option("--dry-run", help="Only say what would be billed; store nothing.")
    ] = False,
    json_output: Annotated[  # noqa: FBT002
        bool, typer.Option("--json", help="Report as JSON.")
    ] = False,
) -> None:
    """Bill what is due, as the worker does by itself, and report what was billed, held and parked."""
    from billwright.entrypoints.explained import explained  # noqa: PLC0415

    with explained():
        from billwright.runtime.garbage import collect_rarely  # noqa: PLC0415
        from billwright.runtime.settings import load_settings  # noqa: PLC0415
        from billwright.runtime.telemetry.logs import configure_logs  # noqa: PLC0415
        from billwright.surfaces.cli.bill import bill as bill_due  # noqa: PLC0415

        collect_rarely()
        configure_logs(
            load_settings().log_format
        )  # to standard error: the report is read by programs
        raise typer.Exit(
            bill_due(
                as_of.replace(tzinfo=UTC) if as_of else None,
                tenant_code=tenant,
                rehearse=dry_run,
                as_json=json_output,
            )
        )


@main.command()
def reconcile(
    provider: Annotated[
        str | None, typer.Option(help="One provider; else all that list their payments.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=_INSTANTS, help="From this instant (UTC); else 3 days before the last run."
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=_INSTANTS, help="To before this instant (UTC); else an hour ago."),
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(help="The code of one tenant; else all of them.")
    ] = None,
    json_output: Annotated[  # noqa: FBT002
        bool, typer.Option("--json", help="Report as JSON.")
    ] = False,
) -> None:
    """Compare what providers list with what is booked, as the worker does every night: book what only
    they know, and report what only a person can explain.
    """
    from billwright.entrypoints.explained import explained  # noqa: PLC0415

    with explained():
        from billwright.providers.payment import discover  # noqa: PLC0415
        from billwright.runtime.secrets import load_key  # noqa: PLC0415
        from billwright.runtime.settings import load_settings  # noqa: PLC0415
        from billwright.runtime.telemetry.logs import configure_logs  # noqa: PLC0415
        from billwright.surfaces.cli.reconcile import Chosen  # noqa: PLC0415
        from billwright.surfaces.cli.reconcile import reconcile as compare  # noqa: PLC0415

        settings = load_settings()
        configure_logs(settings.log_format)
        chosen = Chosen(
            provider=provider,
            since=since.replace(tzinfo=UTC) if since else None,
            until=until.replace(tzinfo=UTC) if until else None,
            tenant_code=tenant,
        )
        raise typer.Exit(
            compare(
                chosen,
                providers=discover(settings),
                box=load_key(settings),
                as_json=json_output,
            )
        )


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


@dunning.command("simulate")
def simulate_dunning(
    policy: Annotated[
        Path | None,
        typer.Option(
            help="The TOML or JSON file of a policy; else the default one.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ] = None,
    opened_on: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"],
            metavar="DATE",
            help="When the first charge is declined, in the zone's local time; else now.",
        ),
    ] = None,
    zone: Annotated[str, typer.Option(help="The account's time zone.")] = "UTC",
    declines: Annotated[
        str, typer.Option(help="How attempts are declined, in order: soft,soft,hard; then soft.")
    ] = "",
    paid_at: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Which attempt is paid; else none.")
    ] = None,
    json_output: Annotated[  # noqa: FBT002
        bool, typer.Option("--json", help="Report as JSON.")
    ] = False,
) -> None:
    """Say what a dunning policy would do about an unpaid invoice, and when; needs no database."""
    from billwright.surfaces.cli.dunning import simulate  # noqa: PLC0415

    raise typer.Exit(
        simulate(
            policy,
            opened_on=opened_on,
            zone=zone,
            declines=declines,
            paid_at=paid_at,
            as_json=json_output,
        )
    )


@main.command()
def version() -> None:
    """Print the version."""
    from billwright import __version__  # noqa: PLC0415

    typer.echo(__version__)
