"""What is the smallest tree that every check of the architecture accepts?"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]

EVENTS = '''"""What has happened to an invoice?"""

from billwright.kernel.event import Event


class InvoiceFinalized(Event):
    type = "invoice.finalized"
'''
READS = '''"""How are invoices read?"""

INVOICE = "select id from invoice where id = $1 and created_at < $2"
'''
WRITES = '''"""How do invoices change?"""

LOCK = "select id from invoice where id = $1 for update"
CHANGE = "update invoice set state = $2 where id = $1"
COPY = """create temporary table wanted (id uuid) on commit drop;
insert into wanted select unnest($1::uuid[]);
insert into invoice (id) select id from wanted on conflict do update set state = 'open'"""
'''
FINALIZE = '''"""When does a draft become an invoice?"""

from billwright.features.invoicing.sql import reads, writes
from billwright.features.tenancy.model import Seller
from billwright.runtime.db.tx import Tx


def finalize(tx: Tx, seller: Seller) -> str:
    return f"{seller} {reads.INVOICE} {writes.CHANGE} {tx}"
'''
MIGRATION = """create table tenant (tenant_id uuid primary key);
create table invoice (tenant_id uuid, id uuid, state text, primary key (tenant_id, id));
create table subscription (tenant_id uuid, id uuid, primary key (tenant_id, id));
"""


def module(question: str, body: str = "") -> str:
    return f'"""{question}"""\n\n{body}\n'


CLEAN: Mapping[str, str] = {
    "kernel/event.py": module("What has happened?", "class Event:\n    type: str"),
    "kernel/refusal.py": module("How is a no said?", "class RefusalCode:\n    code: str"),
    "runtime/clock.py": module(
        "What time is it?",
        "from datetime import UTC, datetime\n\n\ndef now() -> datetime:\n    return datetime.now(UTC)",
    ),
    "runtime/db/tx.py": module(
        "What may an operation do?", "import asyncpg\n\n\nclass Tx:\n    row: asyncpg.Record"
    ),
    "runtime/db/migrations/sql/0001.sql": MIGRATION,
    "features/tenancy/README.md": "# Tenancy\n\nTables: tenant\n",
    "features/tenancy/model.py": module("What is a seller?", "class Seller:\n    name: str"),
    "features/tenancy/sql/writes.py": module(
        "How do tenants change?", 'INSERT = "insert into tenant (tenant_id) values ($1)"'
    ),
    "features/subscriptions/README.md": "# Subscriptions\n\n**Tables:** `subscription`\n",
    "features/subscriptions/model.py": module("What is subscribed?"),
    "features/invoicing/README.md": "# Invoicing\n\n- Tables: invoice\n",
    "features/invoicing/model.py": module("What is an invoice?"),
    "features/invoicing/events.py": EVENTS,
    "features/invoicing/rules/rounding.py": module("How is a line rounded?"),
    "features/invoicing/sql/reads.py": READS,
    "features/invoicing/sql/writes.py": WRITES,
    "features/invoicing/operations/finalize.py": FINALIZE,
    "features/invoicing/reactions.py": module("What follows from other features' facts?"),
    "providers/payment/stripe/charge.py": module("How is a card charged?", "import stripe"),
    "providers/payment/manual/record.py": module("How is a transfer recorded?"),
    "surfaces/web/app.py": module("What is served?", "import starlette"),
    "surfaces/platform_api/routes.py": module("What may a platform ask?", "import fastapi"),
    "surfaces/manager_api/routes.py": module("What may a console ask?", "import fastapi"),
    "entrypoints/api.py": module(
        "How does the API start?",
        "import uvicorn\n\nfrom billwright.surfaces.platform_api import routes",
    ),
}


def plant(root: Path, *trees: Mapping[str, str]) -> Path:
    """Write files below the package of `root`, and every `__init__.py` above them."""
    package = root / "src" / "billwright"
    for tree in trees:
        for name, text in tree.items():
            file = package / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            for folder in file.parents:
                if file.suffix == ".py" and folder.is_relative_to(package):
                    (folder / "__init__.py").touch()
    return root


def with_contracts(root: Path) -> Path:
    """Give the tree below `root` the project's own contracts."""
    shutil.copy(ROOT / ".importlinter", root)
    shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    return root


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """What `lint-imports` says of the tree below `root`."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src"), "COLUMNS": "240"},
        check=False,
        capture_output=True,
        text=True,
    )
