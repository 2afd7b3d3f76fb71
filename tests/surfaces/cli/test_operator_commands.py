"""Can an operator give a seller its tenant and its keys, and take keys away?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from billwright.features.identity.model import FULL_ACCESS, READ_ACCESS, Caller
from billwright.features.identity.operations.authenticate import authenticate
from billwright.kernel.ids import new_id
from billwright.kernel.refusal import Refusal
from billwright.runtime.clock import SystemClock
from billwright.runtime.db.database import Database
from billwright.runtime.db.inspection import DatabaseUnusable
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import Registry
from billwright.surfaces.cli import keys, tenants
from tests.postgres import ServerInfo

SELLER = """
currency = "EUR"
zone = "Pacific/Auckland"
[party]
name = "Example Software GmbH"
address = {line1 = "Musterstraße 1", postal_code = "10115", city = "Berlin", country = "DE"}
[tax_rates]
standard = 0.19
"""

CallerOf = Callable[[str], Caller]


@pytest.fixture
def seller_file(tmp_path: Path) -> Path:
    path = tmp_path / "seller.toml"
    path.write_text(SELLER)
    return path


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch, migrated_database: str) -> None:
    monkeypatch.setenv("BILLWRIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", migrated_database)


@pytest.fixture
def caller_of(migrated_database: str, registry: Registry) -> CallerOf:
    """Who a key's text stands for, asked as the API asks."""

    async def ask(text: str) -> Caller:
        database = await Database.connect(migrated_database, outbox=QueueOutbox(registry), size=1)
        try:
            return await authenticate(database, text)
        finally:
            await database.close()

    return lambda text: asyncio.run(ask(text))


def create_north(seller_file: Path, **changes: str | None) -> int:
    arguments = {"name": None, "key_name": "platform", **changes}
    return tenants.create("north", seller_file=seller_file, **arguments)


def listed(capsys, show: Callable[[], int]) -> list[list[str]]:
    """The lines of a list without its headings, as words."""
    assert show() == 0
    return [line.split() for line in capsys.readouterr().out.splitlines()[1:]]


def test_a_tenant_is_created_with_a_key_that_opens_it(seller_file, capsys, caller_of: CallerOf):
    assert create_north(seller_file) == 0
    said = capsys.readouterr()
    caller = caller_of(said.out.strip())
    assert caller.scopes == {FULL_ACCESS}
    assert f"Tenant north ({caller.tenant_id})" in said.err
    today = SystemClock().now().date()
    ((code, *name, currency, created, id_),) = listed(capsys, tenants.show_all)
    assert (code, " ".join(name), currency) == ("north", "Example Software GmbH", "EUR")
    assert today - date.fromisoformat(created) <= timedelta(days=1)
    assert id_ == str(caller.tenant_id)


def test_everything_wrong_is_listed_and_nothing_is_written(
    tmp_path, capsys, postgres_server: ServerInfo, migrated_database: str
):
    file = tmp_path / "wrong.toml"
    file.write_text(
        'currency = "EURO"\nzone = 1\npayment_terms_days = 500\nfax = ""\n'
        'party = {iban = "DE00"}\n[tax_rates]\nstandard = 19.0\nreduced = "7 %"\n'
    )
    assert tenants.create("no rth", seller_file=file, name=" ", key_name="platform") == 1
    said = capsys.readouterr()
    assert said.out == ""
    first, *problems = said.err.splitlines()
    assert first == f"The tenant cannot be created from {file}:"
    assert sorted(problem.partition(":")[0].strip() for problem in problems) == [
        "--name",
        "CODE",
        "currency",
        "fax",
        "party.address.city",
        "party.address.country",
        "party.address.line1",
        "party.iban",
        "party.name",
        "payment_terms_days",
        "tax_rates.reduced",
        "tax_rates.standard",
        "zone",
    ]
    name = migrated_database.rpartition("/")[2]
    for table in ("tenant", "seller", "api_key", "audit_entry"):
        assert postgres_server.execute(f"select count(*) from {table}", database=name) == "0"


def test_what_is_wrong_in_form_is_not_said_twice(tmp_path, capsys):
    file = tmp_path / "wrong.toml"
    file.write_text('party = "Example"\ncurrency = 1\nzone = "UTC"\n')
    assert tenants.create("north", seller_file=file, name=None, key_name="platform") == 1
    problems = capsys.readouterr().err.splitlines()[1:]
    assert [problem.partition(":")[0].strip() for problem in problems] == ["party", "currency"]


def test_a_refused_key_leaves_no_tenant(seller_file, capsys):
    assert create_north(seller_file, key_name=" ") == 1
    assert "needs a name" in capsys.readouterr().err
    assert listed(capsys, tenants.show_all) == []


def test_a_code_that_is_taken_is_refused(seller_file, capsys):
    assert create_north(seller_file) == 0
    capsys.readouterr()
    assert create_north(seller_file, name="Another") == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "A tenant with the code north exists already.\n")


def test_a_seller_is_changed_by_its_file(seller_file, capsys):
    create_north(seller_file)
    seller_file.write_text(SELLER.replace('currency = "EUR"', 'currency = "CHF"'))
    capsys.readouterr()
    assert tenants.update("north", seller_file=seller_file) == 0
    assert capsys.readouterr().out == f"The seller of tenant north is now as in {seller_file}.\n"
    ((*_, currency, _created, _id),) = listed(capsys, tenants.show_all)
    assert currency == "CHF"
    assert tenants.update("south", seller_file=seller_file) == 1
    assert capsys.readouterr().err == "There is no tenant with the code south.\n"


def test_everything_wrong_with_a_change_is_listed_and_nothing_is_written(seller_file, capsys):
    create_north(seller_file)
    seller_file.write_text(
        'currency = "CHF"\nzone = 1\ntax_engine = "sales"\nrounding = "floor"\n'
        "minimum_invoice = {CHF = -5}\n"
        'party = {name = "Example", address = {line1 = "1", city = "Bern", country = "CH"}}\n'
    )
    capsys.readouterr()
    assert tenants.update("north", seller_file=seller_file) == 1
    first, *problems = capsys.readouterr().err.splitlines()
    assert first == f"The tenant cannot be changed to {seller_file}:"
    assert sorted(problem.partition(":")[0].strip() for problem in problems) == [
        "minimum_invoice.CHF",
        "rounding",
        "tax_engine",
        "zone",
    ]
    ((*_, currency, _created, _id),) = listed(capsys, tenants.show_all)
    assert currency == "EUR"


def test_a_file_that_is_no_toml_is_refused(tmp_path, capsys):
    file = tmp_path / "seller.toml"
    file.write_text("currency:")
    assert create_north(file) == 1
    assert f"{file} cannot be read as TOML: " in capsys.readouterr().err


def test_a_key_is_created_listed_and_revoked(seller_file, capsys, caller_of: CallerOf):
    create_north(seller_file)
    capsys.readouterr()
    arguments = {"name": "reports", "scopes": [READ_ACCESS], "expires_on": date(9999, 12, 31)}
    assert keys.create("north", **arguments) == 0
    key = capsys.readouterr().out.strip()
    assert caller_of(key).scopes == {READ_ACCESS}
    first, second = listed(capsys, lambda: keys.show_all("north"))
    assert (first[1], first[3], first[5:]) == ("platform", FULL_ACCESS, ["-", "-", "-"])
    assert second[1:4] == ["reports", f"...{key[-4:]}", READ_ACCESS]
    assert datetime.fromisoformat(second[7]) - datetime.fromisoformat(second[4]) < timedelta(
        hours=1
    )
    # The day begins in Auckland when it is still the day before in UTC.
    midnight = datetime(9999, 12, 31, tzinfo=ZoneInfo("Pacific/Auckland"))
    assert datetime.fromisoformat(second[5]) == midnight
    for _ in range(2):
        assert keys.revoke("north", UUID(second[0])) == 0
    with pytest.raises(Refusal, match="revoked"):
        caller_of(key)
    capsys.readouterr()
    revoked = listed(capsys, lambda: keys.show_all("north"))[1][6]
    age = SystemClock().now() - datetime.fromisoformat(revoked)
    assert timedelta(0) <= age < timedelta(minutes=5)


@pytest.mark.parametrize(
    ("scopes", "expires_on", "said"),
    [
        (["billing:all"], None, "'billing:all' is no scope"),
        ([], date(2020, 1, 1), "cannot expire in the past"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(seller_file, capsys, scopes, expires_on, said):
    create_north(seller_file)
    capsys.readouterr()
    assert keys.create("north", name="key", scopes=scopes, expires_on=expires_on) == 1
    refused = capsys.readouterr()
    assert refused.out == ""
    assert said in refused.err


def test_unknown_tenants_and_keys_are_refused(seller_file, capsys):
    create_north(seller_file)
    capsys.readouterr()
    unknown = "There is no tenant with the code south.\n"
    for command, said in (
        (lambda: keys.create("south", name="key", scopes=[], expires_on=None), unknown),
        (lambda: keys.show_all("south"), unknown),
        (lambda: keys.revoke("south", new_id()), unknown),
        (lambda: keys.revoke("north", new_id()), "There is no API key "),
    ):
        assert command() == 1
        refused = capsys.readouterr()
        assert refused.out == ""
        assert refused.err.startswith(said)


def test_the_work_is_done_as_the_login_that_owns_nothing(
    seller_file, capsys, monkeypatch, postgres_server: ServerInfo, migrated_database: str
):
    postgres_server.execute("create role clerk login password 'c' in role billwright_app")
    place = migrated_database.partition("@")[2]
    monkeypatch.setenv("DATABASE_APPLICATION_URL", f"postgresql://clerk:c@{place}")
    try:
        assert create_north(seller_file) == 0
        capsys.readouterr()
        assert len(listed(capsys, tenants.show_all)) == 1
        monkeypatch.setenv("DATABASE_APPLICATION_URL", f"postgresql://nobody:c@{place}")
        with pytest.raises(DatabaseUnusable, match="cannot be reached"):
            tenants.show_all()
    finally:
        postgres_server.execute("drop role clerk")


def test_without_a_running_database_the_way_to_one_is_said(seller_file, monkeypatch, tmp_path):
    monkeypatch.delenv("DATABASE_URL")
    with pytest.raises(DatabaseUnusable, match=r"`billwright up`, or set DATABASE_URL"):
        create_north(seller_file)
    assert not (tmp_path / "home").exists()


def test_a_database_that_nobody_migrated_is_refused(seller_file, monkeypatch, fresh_database):
    monkeypatch.setenv("DATABASE_URL", fresh_database)
    with pytest.raises(DatabaseUnusable, match="billwright migrate"):
        create_north(seller_file)
