"""Does a function earn its place, and can its call be read?"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.tidy_rules.source import Finding, PythonFile

_Function = ast.FunctionDef | ast.AsyncFunctionDef

# Bases that only describe a class; a class with any other base from outside the project implements
# somebody else's protocol and takes the parameters it is given.
_DESCRIBING_BASES = ("abc.", "collections.", "dataclasses.", "enum.", "typing.", "builtins.")
_ASGI_PARAMETERS = ["scope", "receive", "send"]
_PLAIN_DECORATORS = {"staticmethod", "classmethod", "functools.cache", "functools.lru_cache"}


def pure_forwarding(file: PythonFile) -> Iterator[Finding]:
    """A function whose whole body calls another with its own parameters in their own order.

    Not found: decorated and dunder functions; defaults (they decide something); and methods that
    call anything but their own class, because narrowing or renaming another object's protocol is
    work.
    """
    for function, owner in _functions(file.tree):
        if function.decorator_list or _is_dunder(function) or file.is_migration:
            continue
        call = _only_call(function)
        if call is None or (owner is not None and not _calls_own_class(call)):
            continue
        if _forwards(call, function.args, is_method=owner is not None):
            yield file.finding(
                function.lineno,
                rule="forwarding",
                message=f"{function.name} only forwards to {ast.unparse(call.func)}",
            )


def positional_parameters(file: PythonFile) -> Iterator[Finding]:
    """More than two positional parameters, or two adjacent ones of the same type.

    Not found: tests (fixtures are positional), functions inside functions (their call is in sight),
    and signatures that a library prescribes: dunder, decorated and overriding methods, ASGI.
    """
    if file.path.parts[0] == "tests" or file.is_migration:
        return
    for function, owner in _functions(file.tree, nested=False):
        if _is_prescribed(file, function=function, owner=owner):
            continue
        positional = [*function.args.posonlyargs, *function.args.args]
        if owner is not None and not _has_decorator(file, function, name="staticmethod"):
            positional = positional[1:]
        if [parameter.arg for parameter in positional] == _ASGI_PARAMETERS:
            continue
        problem = _unreadable_call(positional)
        if problem:
            yield file.finding(
                function.lineno,
                rule="positional",
                message=f"{function.name} takes {problem}: make them keyword-only",
            )


def _functions(
    node: ast.AST, *, nested: bool = True, owner: ast.ClassDef | None = None
) -> Iterator[tuple[_Function, ast.ClassDef | None]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child, owner
            if nested:
                yield from _functions(child)
        else:
            inside = child if isinstance(child, ast.ClassDef) else owner
            yield from _functions(child, nested=nested, owner=inside)


def _is_dunder(function: _Function) -> bool:
    return function.name.startswith("__") and function.name.endswith("__")


def _only_call(function: _Function) -> ast.Call | None:
    body = function.body
    if ast.get_docstring(function, clean=False) is not None:
        body = body[1:]
    if len(body) != 1 or not isinstance(body[0], ast.Return | ast.Expr):
        return None
    value = body[0].value
    if isinstance(value, ast.Await):
        value = value.value
    return value if isinstance(value, ast.Call) else None


def _calls_own_class(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return False
    target = call.func.value
    if isinstance(target, ast.Call):
        return isinstance(target.func, ast.Name) and target.func.id == "super"
    return isinstance(target, ast.Name) and target.id in {"self", "cls"}


def _forwards(call: ast.Call, arguments: ast.arguments, *, is_method: bool) -> bool:
    if arguments.defaults or any(default is not None for default in arguments.kw_defaults):
        return False
    positional = [parameter.arg for parameter in [*arguments.posonlyargs, *arguments.args]]
    expected = positional[1:] if is_method else positional
    if arguments.vararg:
        expected.append(f"*{arguments.vararg.arg}")
    expected += [parameter.arg for parameter in arguments.kwonlyargs]
    if arguments.kwarg:
        expected.append(f"**{arguments.kwarg.arg}")
    given = [ast.unparse(argument) for argument in call.args]
    for keyword in call.keywords:
        value = ast.unparse(keyword.value)
        if keyword.arg is None:
            given.append(f"**{value}")
        elif keyword.arg == value:
            given.append(value)
        else:
            return False
    return bool(expected) and given == expected


def _is_prescribed(file: PythonFile, *, function: _Function, owner: ast.ClassDef | None) -> bool:
    if _is_dunder(function):
        return True
    if any(
        _decorator_name(file, each) not in _PLAIN_DECORATORS for each in function.decorator_list
    ):
        return True
    if owner is None:
        return False
    return any(_is_library_class(file, base) for base in owner.bases)


def _is_library_class(file: PythonFile, base: ast.expr) -> bool:
    if isinstance(base, ast.Subscript):
        base = base.value
    name = file.qualified_name(base) or ""
    if "." not in name:  # defined in this module or built in
        return name.endswith(("Error", "Exception"))
    return not name.startswith(("billwright.", "tools.", "benchmarks.", *_DESCRIBING_BASES))


def _has_decorator(file: PythonFile, function: _Function, *, name: str) -> bool:
    return any(_decorator_name(file, each) == name for each in function.decorator_list)


def _decorator_name(file: PythonFile, decorator: ast.expr) -> str | None:
    return file.qualified_name(decorator.func if isinstance(decorator, ast.Call) else decorator)


def _unreadable_call(positional: list[ast.arg]) -> str | None:
    if len(positional) > 2:
        return f"{len(positional)} positional parameters"
    types = [ast.unparse(each.annotation) if each.annotation else None for each in positional]
    if len(types) == 2 and types[0] is not None and types[0] == types[1]:
        return f"two positional parameters of type {types[0]}"
    return None
