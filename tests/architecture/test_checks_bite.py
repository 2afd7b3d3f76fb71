"""Does every check of the architecture refuse what it is there for, and nothing else?"""

import pytest

from tests.architecture.miniature import CLEAN, lint_imports, module, plant, with_contracts
from tools.tidy import findings

# A file to add, and what `lint-imports` has to say about it.
FORBIDDEN_IMPORTS = {
    "the runtime imports a feature": (
        "runtime/db/upward.py",
        "import billwright.features.tenancy.model",
        "billwright.runtime.db.upward -> billwright.features.tenancy.model",
    ),
    "a lower feature imports a higher one": (
        "features/tenancy/operations/upward.py",
        "import billwright.features.invoicing.model",
        "billwright.features.tenancy is not allowed to import billwright.features.invoicing",
    ),
    "a feature without a place": ("features/loyalty/model.py", "", "- billwright.features.loyalty"),
    "a rule imports SQL of its feature": (
        "features/invoicing/rules/reading.py",
        "import billwright.features.invoicing.sql.reads",
        "features.invoicing.rules is not allowed to import billwright.features.invoicing.sql",
    ),
    "a part that features do not have": (
        "features/invoicing/presenters.py",
        "",
        "- billwright.features.invoicing.presenters",
    ),
    "a rule reads the time": (
        "features/invoicing/rules/waiting.py",
        "import time",
        "billwright.features.invoicing.rules is not allowed to import time",
    ),
    "a port knows the database": (
        "features/invoicing/port.py",
        "from billwright.runtime.db.tx import Tx",
        "billwright.features.invoicing.port is not allowed to import billwright.runtime",
    ),
    "the kernel reads files": (
        "kernel/files.py",
        "import os",
        "billwright.kernel is not allowed to import os",
    ),
    "a vendor outside its provider": (
        "features/invoicing/operations/charge.py",
        "import stripe",
        "billwright.features.invoicing.operations.charge imports stripe",
    ),
    "a web framework in the runtime": (
        "runtime/serving.py",
        "import starlette.requests",
        "billwright.runtime.serving imports starlette",
    ),
    "a package without a home": (
        "surfaces/web/fetching.py",
        "import requests",
        "billwright.surfaces.web.fetching imports requests, which is allowed nowhere yet",
    ),
    "a provider imports another": (
        "providers/payment/manual/borrowing.py",
        "import billwright.providers.payment.stripe.charge",
        "providers.payment.manual is not allowed to import billwright.providers.payment.stripe",
    ),
    "a surface imports another": (
        "surfaces/platform_api/borrowing.py",
        "import billwright.surfaces.manager_api.routes",
        "billwright.surfaces.platform_api is not allowed to import billwright.surfaces.manager_api",
    ),
    "another feature's writes": (
        "features/invoicing/operations/meddling.py",
        "import billwright.features.tenancy.sql.writes",
        "imports billwright.features.tenancy.sql.writes, which is private to its feature",
    ),
    "reactions imported by name": (
        "entrypoints/meddling.py",
        "import billwright.features.invoicing.reactions",
        "billwright.entrypoints.meddling imports billwright.features.invoicing.reactions",
    ),
    "half a cycle": (
        "runtime/queue/work.py",
        "import billwright.runtime.mail.send",
        "No cycles are allowed in billwright.runtime.",
    ),
    "the other half": (
        "runtime/mail/send.py",
        "import billwright.runtime.queue.work",
        "No cycles are allowed in billwright.runtime.",
    ),
}


def test_clean_tree_keeps_every_contract(tmp_path):
    checked = lint_imports(with_contracts(plant(tmp_path, CLEAN)))
    assert checked.returncode == 0, checked.stdout
    assert "Contracts: 9 kept, 0 broken." in checked.stdout


def test_every_contract_bites(tmp_path):
    added = {file: f"{text}\n" for file, text, _ in FORBIDDEN_IMPORTS.values()}
    checked = lint_imports(with_contracts(plant(tmp_path, CLEAN, added)))
    unseen = [
        name for name, (_, _, said) in FORBIDDEN_IMPORTS.items() if said not in checked.stdout
    ]
    assert checked.returncode == 1
    assert not unseen, checked.stdout
    assert "Contracts: 0 kept, 9 broken." in checked.stdout


RULES = "features/invoicing/rules"
WRITES = "features/invoicing/sql/writes.py"
REGISTRY = "https://pypi" + ".org/simple"
ELSEWHERE = "/wo" + "rk/notes.md"

# The rule, the file to add, its text after the docstring, and a piece of the message.
UNTIDY = [
    ("file-length", f"{RULES}/long.py", "VALUE = 1\n" * 400, "403 lines"),
    ("function-length", f"{RULES}/f.py", "def decide():" + "\n    pass" * 70, "decide has 71"),
    ("forwarding", f"{RULES}/f.py", "def price(a):\n    return amount(a)", "price only forwards"),
    ("forwarding", f"{RULES}/f.py", "async def g(a, *b):\n    return await h(a, *b)", "g only"),
    ("forwarding", f"{RULES}/f.py", "def g(*, a, b):\n    h(a=a, b=b)", "g only forwards to h"),
    (
        "forwarding",
        f"{RULES}/f.py",
        "class Tax:\n    def of(self, a):\n        return self.rate(a)",
        "of only forwards to self.rate",
    ),
    ("float", f"{RULES}/f.py", "RATE = 0.19", "the literal 0.19"),
    ("float", "kernel/f.py", "def rate(a: float) -> int:\n    return 1", "a float is declared"),
    ("float", "kernel/f.py", "def rate() -> float | None: ...", "rate returns a float"),
    ("float", "features/invoicing/model.py", "a = float('1')", "float() rounds"),
    ("float", f"{RULES}/f.py", "a = b.total_seconds() + 1", "returns a float"),
    (
        "ambient-time",
        "runtime/f.py",
        "from datetime import datetime\nfield(default=datetime.now)",
        "datetime.datetime.now reads",
    ),
    ("ambient-time", "surfaces/web/f.py", "import datetime as d\nd.date.today()", "date.today"),
    ("ambient-time", "runtime/f.py", "from time import time\ntime()", "time.time reads"),
    ("ambient-time", f"{RULES}/f.py", "import time\ntime.monotonic()", "time.monotonic reads"),
    ("ambient-time", f"{RULES}/f.py", "from whenever import Instant\nInstant.now()", "Instant.now"),
    (
        "ambient-time",
        "features/invoicing/sql/late.py",
        "LATE = f'select id from invoice where {due} < now()'",
        "now() in SQL",
    ),
    ("name", "runtime/utils.py", "", "a module named utils"),
    ("name", "features/invoicing/rules/helpers/__init__.py", "", "a module named helpers"),
    ("name", f"{RULES}/f.py", "class InvoiceManager: ...", "Manager says nothing"),
    ("name", f"{RULES}/f.py", "class BaseInvoice: ...", "Base says nothing"),
    ("positional", f"{RULES}/f.py", "def f(a: int, b: str, c: bytes): ...", "3 positional"),
    ("positional", f"{RULES}/f.py", "def f(a: int, b: int): ...", "two positional"),
    (
        "positional",
        f"{RULES}/f.py",
        "class Tax:\n    def f(self, a: int, b: int): ...",
        "f takes two positional parameters of type int",
    ),
    ("comment", f"{RULES}/f.py", "# ---- rounding ----", "a banner"),
    ("comment", f"{RULES}/f.py", "# TO" + "DO round here", "unfinished work"),
    ("comment", f"{RULES}/f.py", "# 2025-01-31: half up since then", "a dated note"),
    ("foreign", f"{RULES}/f.py", f"SOURCE = '{REGISTRY}'", "is no part of the project"),
    ("foreign", f"{RULES}/f.py", f"# see {ELSEWHERE}", "is no part of the project"),
    (
        "catalogue",
        "features/invoicing/operations/f.py",
        "from billwright.kernel.refusal import RefusalCode\nlate = RefusalCode('late')",
        "declared in errors.py",
    ),
    (
        "catalogue",
        "features/invoicing/model.py",
        "from billwright.kernel import event\nclass Paid(event.Event): ...",
        "Paid is declared in events.py",
    ),
    (
        "tables",
        "features/invoicing/operations/f.py",
        "SQL = 'delete from invoice where id = $1'",
        "in sql/writes.py only",
    ),
    (
        "tables",
        "features/invoicing/sql/reads.py",
        "SQL = 'select id from invoice for no key update skip locked'",
        "in sql/writes.py only",
    ),
    ("tables", WRITES, "SQL = 'update tenant set name = $1'", "tenant belongs to features/tenancy"),
    ("tables", WRITES, "SQL = 'update subscription s set a = 1'", "features/subscriptions"),
    ("tables", WRITES, "SQL = 'insert into invoice select id from tenant'", "features/tenancy"),
    ("tables", WRITES, "SQL = 'select 1 from tenant for update'", "belongs to features/tenancy"),
    ("tables", WRITES, "SQL = f'truncate {table}'", "named literally"),
    ("tables", WRITES, "SQL = 'insert into invoices values (1)'", "no table of the migrations"),
    ("tables", "runtime/f.py", "SQL = 'copy invoice (id) from stdin'", "features/invoicing"),
    ("syntax", f"{RULES}/f.py", "def", "not Python"),
]


@pytest.mark.parametrize(("rule", "file", "body", "said"), UNTIDY)
def test_tidy_finds(tmp_path, rule, file, body, said):
    found = findings(plant(tmp_path, CLEAN, {file: module("What is asked?", body)}))
    assert [each.rule for each in found] == [rule], found
    assert said in found[0].message
    assert str(found[0]).startswith(f"src/billwright/{file}:{found[0].line}: ")


DOCSTRINGS = {
    "VALUE = 1\n": "no module docstring",
    '"""Rounding of lines and"""\n': "not begin with a whole sentence",
    '"""Rounds lines. Then sums them."""\n': "more than one sentence",
}


@pytest.mark.parametrize(("text", "said"), DOCSTRINGS.items())
def test_tidy_reads_the_docstring(tmp_path, text, said):
    found = findings(plant(tmp_path, CLEAN, {"kernel/f.py": text}))
    assert [each.rule for each in found] == ["docstring"]
    assert said in found[0].message


SCHEMA = "runtime/db/migrations/sql/0002.sql"
TREES = {
    "a table without an owner": ({SCHEMA: "create table plan (id uuid);"}, "no README.md owns"),
    "an owner of nothing": ({"features/tenancy/README.md": "Tables: tenant, shop"}, "no migration"),
    "two owners": ({"runtime/README.md": "Tables: invoice"}, "already owned by"),
    "a feature that does not say": ({"features/tax/model.py": module("Tax?")}, "no line `Tables"),
    "a stranger among subscriptions": (
        {"features/subscriptions/README.md": "Tables: none", "runtime/README.md": "Tables: subscription"},
        "only the feature subscriptions",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "said"), TREES.values(), ids=TREES)
def test_tidy_asks_for_one_owner_of_every_table(tmp_path, files, said):
    found = findings(plant(tmp_path, CLEAN, files))
    assert [each.rule for each in found] == ["tables"], found
    assert said in found[0].message


def test_tidy_reads_sql_files(tmp_path):
    sql = "-- now() in a comment\n-- ------- plans\nalter table tenant alter x set default now();\n"
    found = findings(plant(tmp_path, CLEAN, {SCHEMA: sql}))
    assert [(each.line, each.rule) for each in found] == [(2, "comment"), (3, "ambient-time")]


ACCEPTED = {
    "a narrowed protocol": "class Tx:\n    def of(self, a):\n        return self.connection.of(a)",
    "a default decides": "def price(a, b=1):\n    return amount(a, b)",
    "another order": "def price(a, b):\n    return amount(b, a)",
    "a constant beside it": "def price(a):\n    return amount(a, 1)",
    "two of two types": "def f(a: int, b: str, *, c: int, d: int): ...",
    "a binary operator": "class Money:\n    def __add__(self, other: int): ...",
    "a library's protocol": (
        "import ast\n\n\nclass Calls(ast.NodeVisitor):\n    def visit(self, a: int, b: int): ..."
    ),
    "an application": "async def app(scope: dict, receive: dict, send: dict): ...",
    "a word of the trade": "class ServiceType: ...\n\n\nclass Database: ...",
    "an instant as a value": "from datetime import datetime\nEPOCH = datetime(2020, 1, 1)",
    "prose about SQL": "TEXT = 'Delete from the list what you update, then select it.'",
    "a reasoned exception": (
        "def f(a: int, b: int): ...  # tidy: positional - compared like an operator"
    ),
}


@pytest.mark.parametrize("body", ACCEPTED.values(), ids=ACCEPTED)
def test_tidy_accepts(tmp_path, body):
    assert findings(plant(tmp_path, CLEAN, {f"{RULES}/f.py": module("What is asked?", body)})) == []


def test_tidy_accepts_the_clean_tree(tmp_path):
    assert findings(plant(tmp_path, CLEAN)) == []


def test_an_exception_for_nothing_is_found(tmp_path):
    body = "VALUE = 1  # tidy: float - it was inexact once"
    found = findings(plant(tmp_path, CLEAN, {f"{RULES}/f.py": module("What is asked?", body)}))
    assert [each.rule for each in found] == ["exception"]


def test_a_file_of_somebody_else_is_excepted_as_a_whole(tmp_path):
    sql = "-- tidy-file: ambient-time - the tables of a library\nselect now();\nselect now();\n"
    assert findings(plant(tmp_path, CLEAN, {SCHEMA: sql})) == []
