"""Where may each third-party package be imported?"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class PackageHomesContract(Contract):
    """Every package from outside is imported only below its homes, and has homes.

    `root` is the project's package. A line of `homes` reads `package: home home …`; a home is a
    module below `root`, in which `*` stands for one part. A package without a line may not be
    imported at all, so that a new dependency decides where it lives.
    """

    type_name = "package_homes"

    root = fields.StringField()
    homes = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001 - the library's protocol
        root = str(self.root)
        homes = _homes_by_package(self.homes)
        own = {root, *graph.find_descendants(root)}
        broken: list[tuple[str, str]] = []
        for package in sorted(graph.modules - own):
            if package in sys.stdlib_module_names:
                continue
            allowed = _modules_below(graph, root=root, homes=homes.get(package, ()))
            importers = graph.find_modules_that_directly_import(package)
            broken += [(importer, package) for importer in sorted(importers - allowed)]
        return ContractCheck(
            kept=not broken,
            metadata={"broken": [(*each, " ".join(homes.get(each[1], ()))) for each in broken]},
        )

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, package, homes in check.metadata["broken"]:
            where = (
                f"only below {homes}" if homes else "nowhere yet: give it a line in this contract"
            )
            output.print_error(f"{importer} imports {package}, which is allowed {where}")


def _homes_by_package(lines: object) -> dict[str, list[str]]:
    entries = [str(line) for line in lines] if isinstance(lines, Iterable) else []
    pairs = (entry.partition(":") for entry in entries)
    return {package.strip(): homes.split() for package, _, homes in pairs}


def _modules_below(graph: ImportGraph, *, root: str, homes: Iterable[str]) -> set[str]:
    modules: set[str] = set()
    for home in homes:
        expression = f"{root}.{home}"
        matching = graph.find_matching_modules(expression) if "*" in home else {expression}
        for module in matching & graph.modules:
            modules |= {module, *graph.find_descendants(module)}
    return modules
