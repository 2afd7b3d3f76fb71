"""How may a feature be limited, beside its value?"""

from __future__ import annotations

from datetime import timedelta

from billwright.features.catalog.errors import (
    feature_term_missing,
    feature_term_out_of_range,
    feature_term_unsuitable,
)
from billwright.features.catalog.model import FeatureKind, FeatureTerms, LimitPolicy, ResetKind
from billwright.features.catalog.rules.feature_value import is_countable

_WINDOWS = {ResetKind.FIXED_WINDOW, ResetKind.SLIDING_WINDOW}
# Where no count ever ends, nothing is left of one for the next.
_ENDLESS = {ResetKind.SLIDING_WINDOW, ResetKind.NEVER}
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=366)


def check_feature_terms(
    terms: FeatureTerms, *, kind: FeatureKind, feature_code: str, pointer: str
) -> None:
    """Accept terms that belong together. Those of a feature that is not metered say only whether it is
    kept when a payment is missing.

    Refuses: `feature_term_unsuitable`, `feature_term_missing`, `feature_term_out_of_range`.
    """
    if kind is not FeatureKind.METERED:
        _refuse_of_metered(terms, feature_code=feature_code, pointer=pointer)
        return
    _check_presence(terms, feature_code=feature_code, pointer=pointer)
    if terms.soft_cap is not None and not is_countable(terms.soft_cap):
        raise feature_term_out_of_range(
            pointer=f"{pointer}/soft_cap",
            feature_code=feature_code,
            term="soft_cap",
            least="0",
            largest="99999999999999.999999",
        )
    window = terms.reset.window
    if window is not None and not _SHORTEST <= window <= _LONGEST:
        raise feature_term_out_of_range(
            pointer=f"{pointer}/reset/window_seconds",
            feature_code=feature_code,
            term="window_seconds",
            least=str(_SHORTEST // timedelta(seconds=1)),
            largest=str(_LONGEST // timedelta(seconds=1)),
        )


def _refuse_of_metered(terms: FeatureTerms, *, feature_code: str, pointer: str) -> None:
    plain = FeatureTerms(kept_when_unpaid=terms.kept_when_unpaid)
    for term in ("limit_policy", "soft_cap", "reset", "preserve_overage"):
        if getattr(terms, term) != getattr(plain, term):
            raise feature_term_unsuitable(
                pointer=f"{pointer}/{term}",
                feature_code=feature_code,
                term=term,
                belongs_to="metered features",
            )


def _check_presence(terms: FeatureTerms, *, feature_code: str, pointer: str) -> None:
    reset = terms.reset
    for place, given, wanted, owner in (
        (
            "soft_cap",
            terms.soft_cap is not None,
            terms.limit_policy is LimitPolicy.SOFT_CAPPED,
            "the limit policy soft_capped",
        ),
        (
            "reset/interval",
            reset.interval is not None,
            reset.kind is ResetKind.CALENDAR,
            "the reset calendar",
        ),
        (
            "reset/window_seconds",
            reset.window is not None,
            reset.kind in _WINDOWS,
            "the resets fixed_window and sliding_window",
        ),
    ):
        term = place.rpartition("/")[2]
        if given and not wanted:
            raise feature_term_unsuitable(
                pointer=f"{pointer}/{place}",
                feature_code=feature_code,
                term=term,
                belongs_to=owner,
            )
        if wanted and not given:
            needed_by = reset.kind.value if place.startswith("reset") else terms.limit_policy.value
            raise feature_term_missing(
                pointer=f"{pointer}/{place}",
                feature_code=feature_code,
                term=term,
                needed_by=needed_by,
            )
    if terms.preserve_overage and reset.kind in _ENDLESS:
        raise feature_term_unsuitable(
            pointer=f"{pointer}/preserve_overage",
            feature_code=feature_code,
            term="preserve_overage",
            belongs_to="counts that start anew",
        )
