"""Does an operation answer a request as the document says that it does?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from itertools import islice
from random import Random
from types import TracebackType
from typing import Any, Self

import requests
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from billwright.surfaces.web.problems import PROTOCOL_CODES, TYPE_PREFIX
from tests.surfaces.platform_api.serving import World

_ALWAYS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_LISTED_CODE = re.compile(r"^- `(\w+)`", re.MULTILINE)
# What a schema cannot say: text of the documented form may name nothing, and members may contradict
# each other. All else that is refused as `request_invalid` is refused by the document as well.
_BEYOND_A_SCHEMA = {
    "cancellation_with_values",
    "currencies_differ",
    "currency_unknown",
    "interval_out_of_range",
    "one_of_two",
    "out_of_range",
    "pricing_invalid",
    "subject_missing",
    "zone_unknown",
}
_BETWEEN_MEMBERS = ("/effective_at", "Exactly one of")
# An answer comes within milliseconds; a machine that does other things at once may need longer.
_PATIENCE_SECONDS = 120
# In a path these are names; elsewhere the words mean other things.
_OF_MANY_MEANINGS = {"code", "component", "kind", "number"}
# Of ten names, nine are of something that exists.
_KNOWN = 0.9


def examples_in(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Sequence[Any]:
    """The examples of an operation's body; none where it takes none."""
    if "requestBody" not in operation:
        return ()
    content = operation["requestBody"]["content"]["application/json"]
    if "example" in content:
        return [content["example"]]
    references = [content["schema"], *content["schema"].get("anyOf", ())]
    (name,) = [one["$ref"].rpartition("/")[2] for one in references if "$ref" in one]
    examples: Sequence[Any] = document["components"]["schemas"][name].get("examples", ())
    return examples


class Conformance:
    """Requests to one operation, and what was wrong with the answers to them.

    Findings are gathered rather than raised: one bug does not hide another, and a request that changes
    something would not be answered the same way again.
    """

    def __init__(self, operation: APIOperation, world: World, *, seed: int) -> None:
        self.findings: dict[str, str] = {}
        self._operation, self._world, self._seed = operation, world, seed
        self._random = Random(seed)
        self._session = requests.Session()
        self._headers = {"Authorization": f"Bearer {world.keys.full}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self._session.close()

    def send_examples(self) -> None:
        """Each example of the body; the document promises that its form is accepted."""
        document, operation = self._operation.schema.raw_schema, self._operation.definition.raw
        for example in examples_in(document, operation):
            names = [one.name for one in self._operation.path_parameters]
            parameters = {name: self._world.names[name][0] for name in names}
            case = self._operation.Case(path_parameters=parameters, body=deepcopy(example))
            self._send(case, GenerationMode.POSITIVE)

    def send_boundaries(self, mode: GenerationMode, *, most: int) -> None:
        """The first of the document's boundaries: shortest, longest, least, greatest, missing."""
        cases = self._operation.schema.iter_coverage_cases(
            self._operation,
            generation_modes=[mode],
            generation_config=self._operation.schema.config.generation,
        )
        for case in islice(cases, most):
            self._send(case, mode)

    def send_generated(self, mode: GenerationMode, *, examples: int) -> None:
        @seed(self._seed)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(self._operation.as_strategy(generation_mode=mode))
        def send(case: Case) -> None:
            self._send(case, mode)

        with suppress(Unsatisfiable):  # nothing can be wrong with a request that has no parts
            send()

    def _send(self, case: Case, mode: GenerationMode) -> None:
        self._name_what_exists(case, mode)
        response = case.call(
            base_url=self._world.address,
            session=self._session,
            headers=self._headers,
            timeout=_PATIENCE_SECONDS,
        )
        for finding in self._wrong_with(response, case, mode):
            self.findings.setdefault(
                finding, f"{finding}\n{case.as_curl_command()[:2000]}\n{response.text[:2000]}"
            )

    def _name_what_exists(self, case: Case, mode: GenerationMode) -> None:
        """Put names of the world into a request; a part of it that is wrong stays as it is."""
        components = case.meta.components if case.meta else {}
        wrong = {place for place, about in components.items() if about.mode.is_negative}
        if ParameterLocation.HEADER not in wrong and "X-Tenant" in case.headers:
            case.headers["X-Tenant"] = "default"
        if ParameterLocation.PATH not in wrong and case.path_parameters:
            case.path_parameters = {
                name: self._one_of(self._world.names.get(name), value)
                for name, value in case.path_parameters.items()
            }
        if mode.is_positive:
            case.headers["Idempotency-Key"] = str(self._random.random())
            case.query = self._named(case.query)
            if isinstance(case.body, dict):
                case.body = self._named(case.body)

    def _named(self, value: Any, member: str = "") -> Any:
        if isinstance(value, dict):
            return {name: self._named(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._named(inner, member) for inner in value]
        if isinstance(value, float) and value.is_integer():
            return int(value)  # JSON Schema does not tell 1.0 from 1
        is_name = isinstance(value, str) and member not in _OF_MANY_MEANINGS
        return self._one_of(self._world.names.get(member), value) if is_name else value

    def _one_of(self, known: Sequence[Any] | None, value: object) -> Any:
        return self._random.choice(known) if known and self._random.random() < _KNOWN else value

    def _wrong_with(self, response: Response, case: Case, mode: GenerationMode) -> Sequence[str]:
        checks = _ALWAYS if mode.is_positive else [*_ALWAYS, negative_data_rejection]
        found = []
        try:
            case.validate_response(response, checks=checks, headers=self._headers)
        except FailureGroup as failures:
            found += [f"{type(one).__name__}: {one}" for one in failures.exceptions]
        if response.status_code >= 400:
            found += self._wrong_with_problem(response, mode)
        return found

    def _wrong_with_problem(self, response: Response, mode: GenerationMode) -> Sequence[str]:
        problem, status = response.json(), str(response.status_code)
        code = problem["code"]
        listed = self._operation.definition.raw["responses"].get(status, {}).get("description", "")
        found = []
        if problem["type"] != TYPE_PREFIX + code or problem["status"] != response.status_code:
            found.append(f"the problem contradicts itself: {problem['type']}")
        if code not in {*_LISTED_CODE.findall(listed), *PROTOCOL_CODES}:
            found.append(f"{status} does not list {code}")
        if mode.is_positive and code in {"request_invalid", *PROTOCOL_CODES}:
            found += [
                f"{code} although the document allows it: {error}"
                for error in problem.get("errors", [{"code": code}])
                if error["code"] not in _BEYOND_A_SCHEMA
                and not any(text in str(error) for text in _BETWEEN_MEMBERS)
            ]
        return found
