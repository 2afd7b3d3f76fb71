"""What does an operator do with tenants?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from billwright.features.identity.operations.create_api_key import create_api_key
from billwright.features.tenancy.operations.create_tenant import CreateTenant, create_tenant
from billwright.features.tenancy.rules.new_tenant import new_tenant_problems
from billwright.features.tenancy.sql.reads import the_seller, the_tenant
from billwright.kernel.ids import TenantId, new_id
from billwright.kernel.refusal import FieldProblem
from billwright.runtime.db.database import Database
from billwright.surfaces.cli.columns import in_columns
from billwright.surfaces.cli.operator_command import operator_tx, run_on_database
from billwright.surfaces.cli.seller_file import SellerFileUnreadable, read_seller

_SELLER = "/seller"
_ARGUMENTS = {"/code": "CODE", "/name": "--name"}


def create(code: str, *, seller_file: Path, name: str | None, key_name: str) -> int:
    """Create a tenant and its first API key, which alone goes to standard output.

    Everything that is wrong is listed before a database is asked for; the exit code is then 1.
    """
    try:
        seller, form_problems = read_seller(seller_file)
    except SellerFileUnreadable as error:
        typer.echo(str(error), err=True)
        return 1
    if name is None:
        name = seller.party.name or code
    rule_problems = list(new_tenant_problems(code=code, name=name, seller=seller))
    if form_problems or rule_problems:
        typer.echo(f"The tenant cannot be created from {seller_file}:", err=True)
        for line in _problem_lines(form=form_problems, rules=rule_problems):
            typer.echo(f"  {line}", err=True)
        return 1
    command = CreateTenant(code=code, name=name, seller=seller)

    async def work(database: Database) -> None:
        tenant_id = TenantId(new_id())
        async with operator_tx(database, tenant_id, cause="tenant create") as tx:
            await create_tenant(tx, command)
            key = await create_api_key(tx, name=key_name)
        typer.echo(f"Tenant {code} ({tenant_id}) exists. Its API key, shown this once:", err=True)
        typer.echo(key)

    return run_on_database(work)


def show_all() -> int:
    """List every tenant by its code."""

    async def work(database: Database) -> None:
        rows = []
        for tenant_id in await database.all_tenants():
            async with operator_tx(database, tenant_id, cause="tenant list") as tx:
                tenant, seller = await the_tenant(tx), await the_seller(tx)
            created = f"{tenant.created_at:%Y-%m-%d}"
            rows.append((tenant.code, tenant.name, seller.currency, created, str(tenant.id)))
        typer.echo(in_columns(["CODE", "NAME", "CURRENCY", "CREATED", "ID"], rows))

    return run_on_database(work)


def _problem_lines(*, form: Sequence[FieldProblem], rules: Sequence[FieldProblem]) -> Iterator[str]:
    """Each with its place. Where the form is wrong, the rules saw nothing and say nothing."""
    for problem in form:
        yield f"{_place(problem.pointer)}: {problem.detail}"
    unseen = tuple(f"{_SELLER}{problem.pointer}/" for problem in form)
    for problem in rules:
        if not f"{problem.pointer}/".startswith(unseen):
            yield f"{_place(problem.pointer.removeprefix(_SELLER))}: {problem.detail}"


def _place(pointer: str) -> str:
    """The argument, or the key as TOML writes it: `party.address.country`."""
    return _ARGUMENTS.get(pointer) or pointer.removeprefix("/").replace("/", ".")
