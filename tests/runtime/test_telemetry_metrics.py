"""Can everything that is counted be read?"""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from billwright.runtime.telemetry.metrics import Metrics


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(metrics.render().decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return samples(metrics)[name, frozenset(labels.items())]


def test_everything_counted_can_be_read():
    metrics = Metrics()
    for seconds in (0.002, 0.2):
        metrics.count_request(method="GET", route="/a/{id}", status=200, seconds=seconds)
    metrics.count_transaction(outcome="committed", seconds=0.01)
    metrics.count_job("renew", outcome="failed", seconds=2)
    metrics.count_event("invoice.finalized")
    metrics.watch_pool(lambda: (3, 5))
    metrics.count_sign_in(method="password", outcome="refused")
    metrics.count_rate_limited()
    metrics.count_origin_refused()

    request = {"method": "GET", "route": "/a/{id}", "status": "200"}
    assert value(metrics, "billwright_http_request_seconds_count", **request) == 2
    assert value(metrics, "billwright_http_request_seconds_sum", **request) == 0.202
    assert value(metrics, "billwright_http_request_seconds_bucket", le="0.0025", **request) == 1
    assert value(metrics, "billwright_transaction_seconds_count", outcome="committed") == 1
    assert value(metrics, "billwright_job_seconds_count", job="renew", outcome="failed") == 1
    assert value(metrics, "billwright_events_published_total", type="invoice.finalized") == 1
    refused = {"method": "password", "outcome": "refused"}
    assert value(metrics, "auth_requests_total", **refused) == 1
    assert value(metrics, "rate_limit_rejected_total") == 1
    assert value(metrics, "origin_allowlist_rejected_total") == 1
    assert value(metrics, "billwright_database_connections", state="busy") == 3
    assert value(metrics, "billwright_database_connections", state="open") == 5


def test_two_registries_share_nothing():
    first, second = Metrics(), Metrics()
    first.count_event("a.b")
    assert b'billwright_events_published_total{type="a.b"}' in first.render()
    assert b'billwright_events_published_total{type="a.b"}' not in second.render()


def test_a_tenant_that_is_gone_is_not_shown_any_more():
    metrics = Metrics()
    metrics.show_tenants("invoices_open", {"north": 3, "south": 1})
    metrics.show_tenants("invoices_open", {"south": 2})
    assert value(metrics, "billwright_invoices_open", tenant_id="south") == 2
    assert ("billwright_invoices_open", frozenset({("tenant_id", "north")})) not in samples(metrics)
