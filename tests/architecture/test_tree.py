"""Does the tree keep the project's own contracts and rules?"""

from tests.architecture.miniature import ROOT, lint_imports
from tools.tidy import findings


def test_tree_keeps_every_contract():
    checked = lint_imports(ROOT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_tree_is_tidy():
    assert [str(finding) for finding in findings(ROOT)] == []
