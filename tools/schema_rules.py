"""Does the migrated schema keep tenants apart, money exact and time explicit?

Every rule takes an asyncpg connection of the owner and the schema to look at, and returns one line
per finding. The schema `queue` belongs to pgqueuer and is not looked at: a job carries its tenant in
its payload, and nothing in a queue table is business data.

Row-level security is enabled but not forced: migrations run as the owner, and the rule
`tenants_hidden` refuses every grant to a role that owns the table or is above the policies.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import asyncpg

    Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

Rule: TypeAlias = "Callable[[Connection, str], Awaitable[list[str]]]"

# (rule, what it names) to the reason; the tests refuse an entry that nothing needs any more.
EXCEPTIONS: Mapping[tuple[str, str], str] = {
    ("tenant_first", "alembic_version"): "the migrations' own mark, read by the owner only",
    ("tenants_hidden", "alembic_version"): "the migrations' own mark, read by the owner only",
    ("unique_within_tenant", "alembic_version"): "the migrations' own mark, read by the owner only",
    ("unique_within_tenant", "tenant (code)"): "how a tenant is found before it is known",
    ("references_indexed", "charge charge_tenant_id_account_id_subscription_id_fkey"): (
        "subscriptions are never deleted; charges are found by the keys that reads use"
    ),
    ("references_indexed", "charge charge_tenant_id_invoice_id_line_count_fkey"): (
        "the lines of an invoice are found by their places, which begin with the same columns"
    ),
    (
        "references_indexed",
        "entitlement_reservation entitlement_reservation_tenant_id_account_id_subscription__fkey",
    ): "subscriptions are never deleted; reservations are found by the keys that reads use",
    ("references_indexed", "usage_total usage_total_tenant_id_account_id_subscription_id_fkey"): (
        "subscriptions are never deleted; every event adds to a total, and an index would cost each"
    ),
    ("guarded_functions", "tenant_by_code"): "how a tenant is found before it is known",
    ("guarded_functions", "all_tenants"): "background work runs for each tenant in turn",
    ("guarded_functions", "count_once_more"): (
        "how often somebody asked is counted before anything is known of them but the tenant's code"
    ),
    ("guarded_functions", "count_unpaid_invoices"): "what operators watch, as numbers alone",
    ("guarded_functions", "count_active_subscriptions"): "likewise",
    ("guarded_functions", "read_entitlements"): (
        "many access questions in one statement; each row brings the tenant of its caller"
    ),
    ("guarded_functions", "check_entitlements"): ("likewise, about features of accounts"),
    ("guarded_functions", "tenants_of_provider_reference"): (
        "whose payment, refund, dispute or page a provider's callback is about, where it does not say"
    ),
    ("guarded_functions", "tenants_of_payment_method"): (
        "whose payment method a provider's callback is about, by a digest that only we can make"
    ),
}

_TABLES = """
    select c.oid, c.relname as name from pg_class c
    where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p')
        and not c.relispartition
"""
_KEY_COLUMNS = """
    (select array_agg(coalesce(a.attname, '(expression)') order by k.position)
     from unnest(i.indkey::int2[]) with ordinality as k (number, position)
     left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number and k.number > 0
     where k.position <= i.indnkeyatts)
"""
_AMBIENT_DEFAULT = (
    r"\y(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|gen_random_uuid"
    r"|uuidv7|uuid_generate_v\d|random)\s*\("
    r"|\y(current_timestamp|current_date|current_time|localtime|localtimestamp)\y"
)
_WORDS_OF_MONEY = {
    *("amount", "balance", "cents", "fee", "gross", "net"),
    *("price", "subtotal", "total"),
}


async def tenant_first(connection: Connection, schema: str) -> list[str]:
    """Every table's primary key begins with `tenant_id`."""
    rows = await connection.fetch(
        f"""select t.name, {_KEY_COLUMNS} as key from ({_TABLES}) t
            left join pg_index i on i.indrelid = t.oid and i.indisprimary order by 1""",
        schema,
    )
    return [
        f"{row['name']}: the primary key {_listed(row['key'])} does not begin with tenant_id"
        for row in rows
        if (row["key"] or [None])[0] != "tenant_id"
    ]


async def unique_within_tenant(connection: Connection, schema: str) -> list[str]:
    """Every unique constraint and index includes `tenant_id`."""
    rows = await connection.fetch(
        f"""select t.name, {_KEY_COLUMNS} as key from ({_TABLES}) t
            join pg_index i on i.indrelid = t.oid and i.indisunique order by 1, 2""",
        schema,
    )
    return [
        f"{row['name']} {_listed(row['key'])}: unique across tenants"
        for row in rows
        if "tenant_id" not in row["key"]
    ]


async def references_within_tenant(connection: Connection, schema: str) -> list[str]:
    """Every foreign key pairs `tenant_id` with `tenant_id`."""
    rows = await connection.fetch(
        f"""select t.name, f.conname, array(
                select format('%s=%s', a.attname, b.attname)
                from unnest(f.conkey, f.confkey) as k (own, other)
                join pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.own
                join pg_attribute b on b.attrelid = f.confrelid and b.attnum = k.other) as pairs
            from ({_TABLES}) t join pg_constraint f on f.conrelid = t.oid and f.contype = 'f'
            order by 1, 2""",
        schema,
    )
    return [
        f"{row['name']}: the foreign key {row['conname']} does not include tenant_id"
        for row in rows
        if "tenant_id=tenant_id" not in row["pairs"]
    ]


async def references_indexed(connection: Connection, schema: str) -> list[str]:
    """Every foreign key has an index that begins with its columns, `tenant_id` first of all.

    A partial index counts if all it leaves out is null keys: a lookup by the key implies that much.
    """
    rows = await connection.fetch(
        f"""select t.name, f.conname, array(
                select a.attname::text from unnest(f.conkey) as k (own)
                join pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.own) as columns
            from ({_TABLES}) t join pg_constraint f on f.conrelid = t.oid and f.contype = 'f'
            order by 1, 2""",
        schema,
    )
    indexes = await connection.fetch(
        f"""select t.name, {_KEY_COLUMNS} as key, pg_get_expr(i.indpred, i.indrelid) as predicate
            from ({_TABLES}) t join pg_index i on i.indrelid = t.oid""",
        schema,
    )
    return [
        f"{row['name']} {row['conname']}: no index serves {_listed(row['columns'])}"
        for row in rows
        if not any(
            index["name"] == row["name"]
            and index["key"][0] == "tenant_id"
            and set(index["key"][: len(row["columns"])]) == set(row["columns"])
            and _leaves_out_nulls_only(index["predicate"], row["columns"])
            for index in indexes
        )
    ]


async def tenants_hidden(connection: Connection, schema: str) -> list[str]:
    """Row-level security is on, and binds every role that may touch the table.

    For each granted command there is a policy on `tenant_id`: USING for what is read, changed or
    deleted, WITH CHECK for what is written. No granted role owns the table or is above policies.
    """
    rows = await connection.fetch(
        f"""with granted as (
                select t.oid, t.name, c.relrowsecurity as enabled, g.grantee, g.privilege_type,
                    coalesce(r.rolname, 'public') as role,
                    coalesce(r.rolsuper or r.rolbypassrls or pg_has_role(r.oid, c.relowner, 'member'),
                             false) as above
                from ({_TABLES}) t join pg_class c on c.oid = t.oid
                left join lateral aclexplode(c.relacl) g
                    on g.grantee <> c.relowner
                    and g.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
                left join pg_roles r on r.oid = g.grantee)
            select g.name, g.enabled, g.role, g.above, g.privilege_type as command,
                g.privilege_type is null or exists (
                    select from pg_policy p
                    where p.polrelid = g.oid and p.polpermissive
                        and (p.polroles = array[0::oid] or g.grantee = any (p.polroles))
                        and p.polcmd in ('*', case g.privilege_type when 'SELECT' then 'r'
                            when 'INSERT' then 'a' when 'UPDATE' then 'w' else 'd' end)
                        and (g.privilege_type = 'INSERT'
                             or pg_get_expr(p.polqual, p.polrelid) like '%tenant_id%')
                        and (g.privilege_type not in ('INSERT', 'UPDATE')
                             or pg_get_expr(p.polwithcheck, p.polrelid) like '%tenant_id%')
                ) as covered
            from granted g order by 1, 3, 5""",
        schema,
    )
    found: dict[str, None] = {}
    for row in rows:
        if not row["enabled"]:
            found[f"{row['name']}: row-level security is off"] = None
        elif row["above"] and row["command"] is not None:
            found[f"{row['name']}: granted to {row['role']}, which policies do not bind"] = None
        elif not row["covered"]:
            found[
                f"{row['name']}: no policy on tenant_id for {row['command']} of {row['role']}"
            ] = None
    return list(found)


async def exact_columns(connection: Connection, schema: str) -> list[str]:
    """Instants carry their zone, numbers are exact, and minor units are called so.

    A `timestamp` without zone is a local time and ends `_local`. A column that ends `_minor` is a
    bigint, and an integer column called after money ends `_minor`.
    """
    rows = await connection.fetch(
        f"""select t.name || '.' || a.attname as column_name, a.attname as name,
                format_type(coalesce(nullif(y.typelem, 0), nullif(y.typbasetype, 0), y.oid), null)
                    as type
            from ({_TABLES}) t
            join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
            join pg_type y on y.oid = a.atttypid order by 1""",
        schema,
    )
    found = []
    for row in rows:
        problem = _inexact(row["name"], type_name=row["type"])
        if problem:
            found.append(f"{row['column_name']}: {problem}")
    return found


async def explicit_defaults(connection: Connection, schema: str) -> list[str]:
    """No column default and no function invents an instant or an id: the application passes both."""
    defaults = await connection.fetch(
        f"""select t.name || '.' || a.attname as place, pg_get_expr(d.adbin, d.adrelid) as text
            from ({_TABLES}) t join pg_attrdef d on d.adrelid = t.oid
            join pg_attribute a on a.attrelid = t.oid and a.attnum = d.adnum
            where pg_get_expr(d.adbin, d.adrelid) ~* $2 order by 1""",
        schema,
        _AMBIENT_DEFAULT,
    )
    functions = await connection.fetch(
        """select proname || '()' as place from pg_proc
           where pronamespace = to_regnamespace($1) and prokind in ('f', 'p')
               and coalesce(nullif(prosrc, ''), pg_get_function_sqlbody(oid)) ~* $2 order by 1""",
        schema,
        _AMBIENT_DEFAULT,
    )
    return [f"{row['place']}: default {row['text']}" for row in defaults] + [
        f"{row['place']}: reads the machine's time or chance" for row in functions
    ]


async def guarded_functions(connection: Connection, schema: str) -> list[str]:
    """Nothing looks around row-level security except the documented functions.

    A view without `security_invoker` and a `security definer` function read as their owner. A
    documented function still names its search path and is not executable by everybody.
    """
    views = await connection.fetch(
        """select relname from pg_class
           where relnamespace = to_regnamespace($1) and relkind in ('v', 'm')
               and (relkind = 'm' or not coalesce(reloptions @> '{security_invoker=true}', false))
           order by 1""",
        schema,
    )
    functions = await connection.fetch(
        """select proname, coalesce(array_to_string(proconfig, ','), '') ~ 'search_path=' as bounded,
               proacl is null or exists (
                   select from aclexplode(proacl) where grantee = 0) as for_everybody
           from pg_proc where pronamespace = to_regnamespace($1) and prosecdef order by 1""",
        schema,
    )
    found = [f"{row['relname']}: a view that reads as its owner" for row in views]
    for row in functions:
        found.append(f"{row['proname']}: a function that reads as its owner")
        if not row["bounded"]:
            found.append(f"{row['proname']}(): reads as its owner without a search_path of its own")
        if row["for_everybody"]:
            found.append(f"{row['proname']}(): reads as its owner and everybody may execute it")
    return found


RULES: Mapping[str, Rule] = {
    rule.__name__: rule
    for rule in (
        tenant_first,
        unique_within_tenant,
        references_within_tenant,
        references_indexed,
        tenants_hidden,
        exact_columns,
        explicit_defaults,
        guarded_functions,
    )
}


async def schema_findings(
    connection: Connection, schema: str = "public"
) -> tuple[list[str], set[tuple[str, str]]]:
    """What breaks a rule undocumented, and the exceptions that nothing needs."""
    found: list[str] = []
    unneeded = set(EXCEPTIONS)
    for name, rule in RULES.items():
        for finding in await rule(connection, schema):
            place = (name, finding.partition(":")[0])
            table = (name, place[1].partition(" ")[0])
            excused = {place, table} & set(EXCEPTIONS)
            unneeded -= excused
            if not excused:
                found.append(f"{finding} [{name}]")
    return found, unneeded


def _listed(columns: list[str] | None) -> str:
    return f"({', '.join(columns or ())})"


def _leaves_out_nulls_only(predicate: str | None, columns: list[str]) -> bool:
    if predicate is None:
        return True
    conditions = predicate.replace("(", "").replace(")", "").split(" AND ")
    return all(
        condition in {f"{column} IS NOT NULL" for column in columns} for condition in conditions
    )


def _inexact(name: str, *, type_name: str) -> str | None:
    if type_name in {"real", "double precision", "money"}:
        return f"{type_name} is not exact"
    if type_name == "timestamp without time zone" and not name.endswith("_local"):
        return "an instant has a zone; a local time ends _local"
    if type_name == "time with time zone":
        return "an offset without a date names no zone"
    if name.endswith("_minor"):
        return None if type_name == "bigint" else f"minor units are bigint, not {type_name}"
    last_word = name.rpartition("_")[2]
    if type_name in {"smallint", "integer", "bigint"} and last_word in _WORDS_OF_MONEY:
        return "minor units are called so: end the name _minor"
    return None
