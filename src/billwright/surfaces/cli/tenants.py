"""What does an operator do with tenants?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import typer

from billwright.features.identity.operations.create_api_key import create_api_key
from billwright.features.tax.rules.engines import engine_of
from billwright.features.tenancy.model import Seller
from billwright.features.tenancy.operations.create_tenant import CreateTenant, create_tenant
from billwright.features.tenancy.operations.update_seller import update_seller
from billwright.features.tenancy.rules.new_tenant import new_tenant_problems
from billwright.features.tenancy.rules.seller import seller_problems
from billwright.features.tenancy.sql.reads import the_seller, the_tenant
from billwright.kernel.ids import TenantId, new_id
from billwright.kernel.refusal import FieldProblem, Refusal
from billwright.runtime.db.database import Database
from billwright.surfaces.cli.columns import in_columns
from billwright.surfaces.cli.operator_command import operator_tx, run_on_database, tenant_with
from billwright.surfaces.cli.seller_file import SellerFileUnreadable, read_seller

_SELLER = "/seller"
_ARGUMENTS = {"/code": "CODE", "/name": "--name"}


def create(code: str, *, seller_file: Path, name: str | None, key_name: str) -> int:
    """Create a tenant and its first API key, which alone goes to standard output.

    Everything that is wrong is listed before a database is asked for; the exit code is then 1.
    """

    def name_for(seller: Seller) -> str:
        return seller.party.name or code if name is None else name

    seller = _read_sound(
        seller_file,
        refusal="The tenant cannot be created from",
        rules=lambda seller: new_tenant_problems(code=code, name=name_for(seller), seller=seller),
    )
    if seller is None:
        return 1
    command = CreateTenant(code=code, name=name_for(seller), seller=seller)

    async def work(database: Database) -> None:
        tenant_id = TenantId(new_id())
        async with operator_tx(database, tenant_id, cause="tenant create") as tx:
            await create_tenant(tx, command)
            key = await create_api_key(tx, name=key_name)
        typer.echo(f"Tenant {code} ({tenant_id}) exists. Its API key, shown this once:", err=True)
        typer.echo(key.text)

    return run_on_database(work)


def update(code: str, *, seller_file: Path) -> int:
    """Make the tenant's seller what the file says; what the file leaves out gets its default.

    Everything that is wrong is listed before a database is asked for; the exit code is then 1.
    """
    seller = _read_sound(
        seller_file,
        refusal="The tenant cannot be changed to",
        rules=lambda seller: seller_problems(seller, at=_SELLER),
    )
    if seller is None:
        return 1

    async def work(database: Database) -> None:
        tenant_id = await tenant_with(database, code)
        async with operator_tx(database, tenant_id, cause="tenant update") as tx:
            await update_seller(tx, seller)
        typer.echo(f"The seller of tenant {code} is now as in {seller_file}.")

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


def _read_sound(
    seller_file: Path, *, refusal: str, rules: Callable[[Seller], Iterable[FieldProblem]]
) -> Seller | None:
    """The seller of a file, or none once everything that is wrong with it has been listed."""
    try:
        seller, form_problems = read_seller(seller_file)
    except SellerFileUnreadable as error:
        typer.echo(str(error), err=True)
        return None
    rule_problems = [*rules(seller), *_engine_problems(seller)]
    if not form_problems and not rule_problems:
        return seller
    typer.echo(f"{refusal} {seller_file}:", err=True)
    for line in _problem_lines(form=form_problems, rules=rule_problems):
        typer.echo(f"  {line}", err=True)
    return None


def _engine_problems(seller: Seller) -> tuple[FieldProblem, ...]:
    try:
        engine_of(seller.tax_engine, pointer=f"{_SELLER}/tax_engine")
    except Refusal as refusal:
        return refusal.problems
    return ()


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
