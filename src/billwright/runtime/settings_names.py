"""Under which other names may settings be given, and which names of other installations mean nothing?"""

from __future__ import annotations

from collections.abc import Mapping

# Variable to the setting that it stands for, unless that is given itself.
ALTERNATES: Mapping[str, str] = {
    "NODE_ENV": "billwright_environment",
    "KEYCLOAK_SERVER_URL": "keycloak_auth_server_url",
}

# Of the first, this value alone says something.
_SAYING: Mapping[str, str] = {"NODE_ENV": "production"}

WITHOUT_EFFECT: Mapping[str, str] = {
    "REDIS_HOST, REDIS_PORT, REDIS_PASSWORD, REDIS_DB, REDIS_KEY_PREFIX, REDIS_CACHE_ENABLED": (
        "jobs and counts are in PostgreSQL; there is no Redis"
    ),
    "TYPEORM_LOGGING, TYPEORM_LOG_QUERIES, TYPEORM_LOG_PARAMETERS, TYPEORM_LOG_QUERY_MAXLEN": (
        "statements are never logged; `billwright_transaction_seconds` and traces say what takes long"
    ),
    "QUEUE_ROLE": "the commands `billwright api`, `billwright worker` and `billwright up` say it",
    "QUEUE_BULL_BOARD_ENABLED, QUEUE_BULL_BOARD_PATH, QUEUE_BULL_BOARD_USERNAME, "
    "QUEUE_BULL_BOARD_PASSWORD": "the queue is read in `billwright_queue_jobs`",
    "BILLING_ISSUER_NAME, BILLING_ISSUER_VAT_ID, BILLING_ISSUER_ADDRESS_LINE1, "
    "BILLING_ISSUER_POSTAL_CODE, BILLING_ISSUER_CITY, BILLING_ISSUER_COUNTRY, BILLING_ISSUER_EMAIL, "
    "BILLING_ISSUER_BANK, BILLING_ISSUER_IBAN, BILLING_ISSUER_BIC": (
        "each tenant has a seller of its own, see [running.md](running.md#the-first-tenant)"
    ),
    "EMAIL_COMPANY_NAME, EMAIL_COMPANY_ADDRESS_LINE1, EMAIL_COMPANY_POSTAL_CODE, "
    "EMAIL_COMPANY_CITY, EMAIL_COMPANY_COUNTRY, EMAIL_COMPANY_VAT_ID, EMAIL_COMPANY_EMAIL": (
        "likewise: messages name the seller"
    ),
    "BILLING_TAX_RATE_STANDARD, BILLING_TAX_RATE_REDUCED, BILLING_OSS_REGISTERED": (
        "likewise: `tax_rates` and `oss_registered_since` of the seller"
    ),
}


def given_otherwise(variables: Mapping[str, str]) -> dict[str, str]:
    """The settings that variables under other names stand for."""
    return {
        setting: variables[name]
        for name, setting in ALTERNATES.items()
        if name in variables
        and variables[name].lower() == _SAYING.get(name, variables[name].lower())
    }
