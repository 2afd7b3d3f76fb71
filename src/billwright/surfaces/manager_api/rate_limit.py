"""How often may somebody ask?

Each address so often for each route, and where codes and passwords can be guessed, in no deployment
more often than a person needs. A guesser with many addresses is stopped by `limit_attempts`.
"""

from __future__ import annotations

from hashlib import blake2b
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.requests import Request

from billwright.runtime.counting import Counts, CountsInDatabase
from billwright.runtime.settings import Settings
from billwright.surfaces.manager_api.tenant import tenant_of
from billwright.surfaces.web.answer_headers import add_to_answer
from billwright.surfaces.web.request_context import route_template
from billwright.surfaces.web.wiring import Wiring


class Limit(NamedTuple):
    """So many requests in so many seconds."""

    requests: int
    seconds: int


# Whatever the settings say: who may ask here without end can guess passwords and codes, or have mails
# sent to others.
_ALWAYS = Limit(requests=10, seconds=60)
_ALWAYS_LIMITED = frozenset(
    {
        "POST /auth/login",
        "POST /auth/token",
        "POST /auth/register",
        "POST /auth/confirm-email",
        "POST /auth/request-password-reset",
        "POST /auth/reset-password",
    }
)
# What watches the server asks often, and providers sign what they tell, many events in a burst.
_NEVER_LIMITED = frozenset({"GET /health", "POST /webhooks/payments/stripe"})
_ATTEMPTS = Limit(requests=20, seconds=15 * 60)
_NETWORK_BITS = 64


async def limit_by_address(request: Request) -> None:
    """A dependency of every route: refuses by 429 what comes too often from one address.

    Where nobody guesses anything it holds only if RATE_LIMIT_ENABLED.
    """
    settings: Settings = request.app.state.settings
    operation = _operation(request)
    if operation in _NEVER_LIMITED:
        return
    if operation in _ALWAYS_LIMITED:
        limit = _ALWAYS
    elif settings.rate_limit_enabled:
        limit = Limit(settings.rate_limit_limit, settings.rate_limit_ttl)
    else:
        return
    await _count(request, limit, "address", operation, _client(request))


async def limit_attempts(request: Request, *, about: str) -> None:
    """Refuses by 429 what is tried too often about one person, whatever the addresses.

    `about` is what names the person in the request, such as an e-mail address as it was written; a
    route calls this before it looks whether there is such a person.
    """
    await _count(request, _ATTEMPTS, "about", _operation(request), about.strip().lower())


async def _count(request: Request, limit: Limit, *parts: str) -> None:
    tenant = tenant_of(request)
    # A digest, so that what is kept has one size whatever was sent.
    key = blake2b("\0".join(parts).encode(errors="replace"), digest_size=16).digest()
    counts = _counts(request.app.state)
    number, seconds_left = await counts.add(key, tenant=tenant, seconds=limit.seconds)
    refused = number > limit.requests
    if refused or parts[0] == "address":
        add_to_answer(
            request.scope,
            {
                "X-RateLimit-Limit": str(limit.requests),
                "X-RateLimit-Remaining": str(max(0, limit.requests - number)),
                "X-RateLimit-Reset": str(seconds_left),
            },
        )
    if refused:
        wiring: Wiring = request.app.state.wiring
        wiring.metrics.count_rate_limited()
        raise HTTPException(429, headers={"Retry-After": str(seconds_left)})


def _counts(state: State) -> Counts:
    in_memory: Counts = state.counts
    if state.settings.rate_limit_store == "memory":
        return in_memory
    return CountsInDatabase(state.wiring.database, otherwise=in_memory)


def _operation(request: Request) -> str:
    template = route_template(request.scope).removeprefix(request.scope.get("root_path", ""))
    return f"{request.method} {template}"


def _client(request: Request) -> str:
    """The client's address; of the newer kind its network, in which one client has them all."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{int(address) >> (128 - _NETWORK_BITS):x}"
    return str(address)
