"""How do tests play Stripe? A small account on this machine that may fail on purpose.

It models, from the public documentation of the API (docs.stripe.com/api), what payments rest on and
what the other stand-in, localstripe, has not:

- idempotency keys: the first answer is replayed for 24 hours, a 500 included; other values or another
  endpoint are an error; a second request meanwhile is a conflict; what fails validation is not stored
- lists by `created` with cursors, newest first and a hundred at most; the search that may lag behind
- Checkout sessions, whose payment intent appears when the payer acts, and which stay open after a decline
- declines with `decline_code`, as a 402 that names the payment intent
- authentication: off session it is a decline, on session a page, which may be passed or withdrawn
- direct debits that are `processing` for days and then succeed, or fail with a code and no `decline_code`
- refunds, partial and full, bounded by what is left; disputes that are opened and decided
- methods that are detached, and cannot be charged or detached once more
- events, in Stripe's own form and with its own signature, which its SDK checks

It does not model fees, captures, balances (a dispute moves no money here), currencies' minimums,
mandates, the order in which real events overtake each other (tests shuffle them), API versions, or
validation beyond the members that are read here. What both this account and the provider get wrong about
Stripe no test finds: localstripe, by somebody who read the same documentation, and Stripe's own test mode
are for that.
"""

from __future__ import annotations

from copy import deepcopy
from itertools import count
from time import time
from typing import Any

KEYS_KEPT_SECONDS = 24 * 3600


class ApiError(Exception):
    def __init__(self, status: int, code: str, *, kind: str = "invalid_request_error", **more):
        super().__init__(code)
        self.status = status
        self.body = {"error": {"type": kind, "code": code, "message": code, **more}}


class FakeStripe:
    """The account; `later` moves its clock, `search_lags` hides everything from the search."""

    def __init__(self) -> None:
        self.things: dict[str, dict[str, Any]] = {}
        self.detached: set[str] = set()
        self.keys: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.later = 0
        self.search_lags = False
        self.requests: list[tuple[str, str, str | None]] = []
        self._numbers = count(1)

    @property
    def now(self) -> int:
        return int(time()) + self.later

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Everything of a kind, newest first."""
        return [thing for thing in reversed(self.things.values()) if thing["object"] == kind]

    @property
    def taken(self) -> int:
        """All that was ever taken from payers, in Stripe's units."""
        return sum(each["amount_received"] for each in self.of("payment_intent"))

    # What the API does; each gets the parameters and answers with an object.

    def create_payment_intent(self, params: dict[str, Any]) -> dict[str, Any]:
        if params.get("off_session") == "true" and "return_url" in params:
            raise ApiError(400, "parameter_invalid")
        method = params["payment_method"]
        if method.startswith("pm_missing"):
            raise ApiError(404, "resource_missing", param="payment_method")
        if method in self.detached:
            raise ApiError(400, "payment_method_unexpected_state", param="payment_method")
        if int(params["amount"]) < 1:
            raise ApiError(400, "parameter_invalid_integer")
        intent = self._intent(params)
        return self._charge(
            intent,
            method=method,
            off_session=params.get("off_session") == "true",
            return_url=params.get("return_url"),
        )

    def create_session(self, params: dict[str, Any]) -> dict[str, Any]:
        expires_at = int(params.get("expires_at", self.now + 24 * 3600))
        if not self.now + 29 * 60 <= expires_at <= self.now + 24 * 3600 + 60:
            raise ApiError(400, "parameter_invalid", param="expires_at")
        items = params.get("line_items", [])
        prices = [item["price_data"] for item in items]
        session = self._add(
            "checkout.session",
            "cs_",
            mode=params["mode"],
            status="open",
            payment_status="unpaid" if items else "no_payment_required",
            amount_total=sum(int(price["unit_amount"]) for price in prices) if items else None,
            currency=prices[0]["currency"] if items else params["currency"],
            payment_intent=None,
            setup_intent=None,
            expires_at=expires_at,
            metadata=params.get("metadata", {}),
            client_reference_id=params.get("client_reference_id"),
        )
        session["url"] = f"https://checkout.stripe.invalid/{session['id']}"
        session["_params"] = params
        return session

    def expire_session(self, session_id: str) -> dict[str, Any]:
        session = self._get(session_id)
        if session["status"] != "open":
            raise ApiError(400, "resource_invalid_state")
        session |= {"status": "expired", "url": None}
        self._emit("checkout.session.expired", session)
        return session

    def cancel_payment_intent(self, intent_id: str, params: dict[str, Any]) -> dict[str, Any]:
        intent = self._get(intent_id)
        if intent["status"] not in {"requires_payment_method", "requires_action"}:
            raise ApiError(400, "payment_intent_unexpected_state")
        intent |= {
            "status": "canceled",
            "next_action": None,
            "cancellation_reason": params.get("cancellation_reason"),
        }
        self._emit("payment_intent.canceled", intent)
        return intent

    def create_refund(self, params: dict[str, Any]) -> dict[str, Any]:
        intent, amount = self._get(params["payment_intent"]), int(params["amount"])
        given_back = sum(
            each["amount"]
            for each in self.of("refund")
            if each["payment_intent"] == intent["id"] and each["status"] != "failed"
        )
        if amount > intent["amount_received"] - given_back:
            raise ApiError(400, "charge_already_refunded" if given_back else "amount_too_large")
        refund = self._add(
            "refund",
            "re_",
            payment_intent=intent["id"],
            amount=amount,
            currency=intent["currency"],
            status="succeeded",
            metadata=params.get("metadata", {}),
        )
        self._emit("refund.created", refund)
        return refund

    def detach_payment_method(self, method_id: str) -> dict[str, Any]:
        method = self.payment_method(method_id)
        if method["customer"] is None:
            raise ApiError(400, "payment_method_unexpected_state")
        self.detached.add(method_id)
        self._emit("payment_method.detached", self.payment_method(method_id))
        return self.payment_method(method_id)

    def payment_method(self, method_id: str) -> dict[str, Any]:
        if method_id.startswith("pm_missing"):
            raise ApiError(404, "resource_missing")
        customer = None if method_id in self.detached else "cus_1"
        return {**payment_method(method_id), "customer": customer}

    # What payers and banks do.

    def pay_page(self, session_id: str, method: str = "pm_visa") -> None:
        """Choose a method on a page; a decline leaves the page open."""
        session = self._get(session_id)
        assert session["status"] == "open"
        if session["mode"] == "setup":
            params = session["_params"]["setup_intent_data"]
            setup = self._add(
                "setup_intent",
                "seti_",
                status="succeeded",
                payment_method=method,
                metadata=params.get("metadata", {}),
            )
            session |= {"setup_intent": setup["id"], "status": "complete"}
            self._emit("setup_intent.succeeded", setup)
            self._emit("checkout.session.completed", session)
            return
        if session["payment_intent"] is None:
            params = session["_params"]["payment_intent_data"]
            facts = {"amount": session["amount_total"], "currency": session["currency"]}
            session["payment_intent"] = self._intent({**params, **facts})["id"]
        intent = self._get(session["payment_intent"])
        try:
            self._charge(intent, method=method, off_session=False, return_url=None)
        except ApiError:
            return
        paid = intent["status"] == "succeeded"
        session |= {"status": "complete", "payment_status": "paid" if paid else "unpaid"}
        self._emit("checkout.session.completed", session)

    def authenticate(self, intent_id: str) -> None:
        """Pass the bank's page."""
        intent = self._get(intent_id)
        intent |= {"status": "succeeded", "next_action": None}
        intent["amount_received"] = intent["amount"]
        self._emit("payment_intent.succeeded", intent)

    def settle(self, intent_id: str, *, failure: str | None = None) -> None:
        """Decide a direct debit."""
        intent = self._get(intent_id)
        if failure is None:
            intent |= {"status": "succeeded", "amount_received": intent["amount"]}
            self._emit("payment_intent.succeeded", intent)
            return
        intent |= {"status": "requires_payment_method", "last_payment_error": {"code": failure}}
        self._emit("payment_intent.payment_failed", intent)
        for session in self.of("checkout.session"):
            if session["payment_intent"] == intent_id:
                self._emit("checkout.session.async_payment_failed", session)

    def give_back(self, intent_id: str, amount: int) -> str:
        """Refund on Stripe's own pages, where nobody gives it metadata."""
        return str(self.create_refund({"payment_intent": intent_id, "amount": amount})["id"])

    def dispute(self, intent_id: str) -> None:
        """Want the money back."""
        intent = self._get(intent_id)
        dispute = self._add(
            "dispute",
            "du_",
            payment_intent=intent_id,
            amount=intent["amount"],
            currency=intent["currency"],
            reason="fraudulent",
            status="needs_response",
            evidence_details={"due_by": self.now + 7 * 24 * 3600},
        )
        self._emit("charge.dispute.created", dispute)

    def close_dispute(self, intent_id: str, status: str) -> None:
        """Decide, and take or leave the money."""
        for dispute in self.of("dispute"):
            if dispute["payment_intent"] == intent_id:
                dispute["status"] = status
                self._emit("charge.dispute.closed", dispute)

    def event(self, event_type: str, thing: dict[str, Any]) -> dict[str, Any]:
        public = {name: value for name, value in thing.items() if name[0] != "_"}
        return {
            "id": f"evt_{next(self._numbers)}",
            "object": "event",
            "type": event_type,
            "created": self.now,
            "data": {"object": deepcopy(public)},
        }

    def _emit(self, event_type: str, thing: dict[str, Any]) -> None:
        self.events.append(self.event(event_type, thing))

    def _add(self, kind: str, prefix: str, **facts: Any) -> dict[str, Any]:
        thing_id = f"{prefix}{next(self._numbers):06}"
        thing = {"id": thing_id, "object": kind, "created": self.now, "livemode": False, **facts}
        self.things[thing_id] = thing
        return thing

    def _get(self, thing_id: str) -> dict[str, Any]:
        if thing_id not in self.things:
            raise ApiError(404, "resource_missing")
        return self.things[thing_id]

    def _intent(self, params: dict[str, Any]) -> dict[str, Any]:
        return self._add(
            "payment_intent",
            "pi_",
            amount=int(params["amount"]),
            amount_received=0,
            currency=params["currency"],
            status="requires_payment_method",
            payment_method=None,
            last_payment_error=None,
            next_action=None,
            cancellation_reason=None,
            setup_future_usage=params.get("setup_future_usage"),
            metadata=params.get("metadata", {}),
        )

    def _charge(
        self, intent: dict[str, Any], *, method: str, off_session: bool, return_url: str | None
    ) -> dict[str, Any]:
        """`pm_declined_CODE` is declined, `pm_3ds` wants its owner, `pm_sepa` takes days."""
        if method.startswith("pm_declined_"):
            self._decline(intent, "card_declined", method.removeprefix("pm_declined_"))
        if method == "pm_3ds" and off_session:
            self._decline(intent, "authentication_required", "authentication_required")
        intent["payment_method"] = method
        if method == "pm_3ds":
            url = "https://hooks.stripe.invalid/3ds"
            redirect = {"url": url, "return_url": return_url} if return_url else None
            action = {"type": "redirect_to_url", "redirect_to_url": redirect}
            intent |= {"status": "requires_action", "next_action": action}
            self._emit("payment_intent.requires_action", intent)
        elif method == "pm_sepa":
            intent["status"] = "processing"
            self._emit("payment_intent.processing", intent)
        else:
            intent |= {"status": "succeeded", "amount_received": intent["amount"]}
            self._emit("payment_intent.succeeded", intent)
        return intent

    def _decline(self, intent: dict[str, Any], code: str, decline_code: str) -> None:
        error = {"type": "card_error", "code": code, "decline_code": decline_code}
        intent |= {"status": "requires_payment_method", "last_payment_error": error}
        self._emit("payment_intent.payment_failed", intent)
        raise ApiError(
            402, code, kind="card_error", decline_code=decline_code, payment_intent=intent
        )


def payment_method(method_id: str) -> dict[str, Any]:
    """What stands for a method where the API is asked for the whole of it."""
    if method_id == "pm_sepa":
        details = {"last4": "3000", "country": "DE", "fingerprint": "bank"}
        return {
            "id": method_id,
            "object": "payment_method",
            "type": "sepa_debit",
            "sepa_debit": details,
            "customer": "cus_1",
        }
    card = {
        "brand": "visa",
        "last4": "4242",
        "exp_month": 2,
        "exp_year": 2028,
        "fingerprint": "card",
    }
    return {
        "id": method_id,
        "object": "payment_method",
        "type": "card",
        "card": card,
        "customer": "cus_1",
    }
