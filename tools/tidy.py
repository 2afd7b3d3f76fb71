"""Is the tree tidy?

    python -m tools.tidy [root]

prints one line per finding, `path:line: message [rule]`, and exits with 1 when there is one. A line
that must break a rule says so and why, on itself or on the line above: `# tidy: <rule> - <reason>`
(`-- tidy: …` in SQL); so does a file that somebody else wrote: `tidy-file: <rule> - <reason>`. An
exception that nothing needs is a finding itself.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tools.tidy_rules import answers, exactness, functions, size, tables, words
from tools.tidy_rules.source import Finding, PythonFile, SourceFile, Tree, read_tree

MODULE_RULES: tuple[Callable[[PythonFile], Iterator[Finding]], ...] = (
    size.long_files,
    size.long_functions,
    functions.pure_forwarding,
    functions.positional_parameters,
    exactness.binary_numbers,
    exactness.ambient_time,
    exactness.ambient_time_in_sql,
    words.homeless_names,
    words.module_docstring,
    answers.refusals_outside_errors,
    answers.events_outside_events,
)
TEXT_RULES: tuple[Callable[[SourceFile], Iterator[Finding]], ...] = (
    exactness.ambient_time_in_sql_file,
    words.comments,
    words.foreign_places,
)
TREE_RULES: tuple[Callable[[Tree], Iterator[Finding]], ...] = (tables.tables,)

_EXCEPTION = re.compile(r"(?:#|--) tidy(?P<whole>-file)?: (?P<rule>[a-z-]+) - \S+(?: \S+)+$")


def findings(root: Path) -> list[Finding]:
    """Every broken rule below `root`, sorted, with the excepted ones left out."""
    tree = read_tree(root)
    found = {*tree.unreadable}
    for module in tree.python:
        for module_rule in MODULE_RULES:
            found.update(module_rule(module))
    for text in tree.texts:
        for text_rule in TEXT_RULES:
            found.update(text_rule(text))
    for tree_rule in TREE_RULES:
        found.update(tree_rule(tree))
    return sorted(_without_exceptions(found, tree))


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent
    found = findings(root)
    for finding in found:
        print(finding)
    return 1 if found else 0


def _without_exceptions(found: set[Finding], tree: Tree) -> Iterator[Finding]:
    excused: set[Finding] = set()
    for file in tree.texts:
        here = [each for each in found if each.path == str(file.path)]
        for number, comment in file.comments:
            match = _EXCEPTION.search(comment)
            if match is None:
                continue
            needing = [
                each
                for each in here
                if each.rule == match["rule"]
                and (match["whole"] or each.line in {number, number + 1})
            ]
            excused.update(needing)
            if not needing:
                message = f"nothing here breaks the rule {match['rule']}"
                yield file.finding(number, rule="exception", message=message)
    yield from found - excused


if __name__ == "__main__":
    sys.exit(main())
