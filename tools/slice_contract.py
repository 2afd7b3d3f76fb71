"""Which parts of a feature may nobody else import?"""

from __future__ import annotations

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class SlicePrivacyContract(Contract):
    """Only the owning feature imports the listed parts of a feature.

    `features` is the package of all features; `private` lists parts below a feature: `sql.writes`
    is that module, everything below it, and modules beside it such as `sql.writes_in_bulk`.
    """

    type_name = "slice_privacy"

    features = fields.StringField()
    private = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001 - the library's protocol
        broken = {
            (importer, module)
            for feature in graph.find_children(str(self.features))
            for part in _listed(self.private)
            for module in graph.find_descendants(feature)
            if module == f"{feature}.{part}"
            or module.startswith((f"{feature}.{part}.", f"{feature}.{part}_"))
            for importer in graph.find_modules_that_directly_import(module)
            if not f"{importer}.".startswith(f"{feature}.")
        }
        return ContractCheck(kept=not broken, metadata={"broken": sorted(broken)})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, module in check.metadata["broken"]:
            output.print_error(f"{importer} imports {module}, which is private to its feature")


def _listed(values: object) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list | tuple) else []
