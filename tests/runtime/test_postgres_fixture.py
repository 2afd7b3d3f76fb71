"""Do the tests' own databases come fresh from a template?"""

from __future__ import annotations

from tests.postgres import ServerInfo, postgres_server

__all__ = ["postgres_server"]


def test_a_fresh_database_is_a_copy_of_the_template(postgres_server: ServerInfo):
    def prepare(dsn: str) -> None:
        assert dsn == postgres_server.dsn_for("prepared")
        postgres_server.execute("create table seed (n int)", database="prepared")
        postgres_server.execute("insert into seed values (7)", database="prepared")

    template = postgres_server.template("prepared", prepare)
    for name in ("one", "two"):
        dsn = postgres_server.fresh_database(name, template=template)
        assert dsn == postgres_server.dsn_for(name)
        assert postgres_server.execute("select n from seed", database=name) == "7"
        postgres_server.execute("delete from seed", database=name)
        postgres_server.drop_database(name)
    left = postgres_server.execute("select count(*) from pg_database where datname = 'one'")
    assert left == "0"
    postgres_server.drop_database("prepared")
