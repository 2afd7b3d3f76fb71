"""Which OpenID Connect issuer vouches for callers of this installation?"""

from __future__ import annotations

from billwright.features.identity.port import TokenIssuer
from billwright.runtime.clock import Clock, SystemClock
from billwright.runtime.settings import Settings


def oidc_issuer(settings: Settings, *, clock: Clock | None = None) -> TokenIssuer:
    """The issuer of the settings, for an installation whose method is `keycloak`.

    Nothing is asked of it before the first token arrives.
    """
    # Loading signatures and HTTP takes time, which only those who use them should wait.
    from billwright.providers.identity.oidc.documents import Documents  # noqa: PLC0415
    from billwright.providers.identity.oidc.introspection import Introspection  # noqa: PLC0415
    from billwright.providers.identity.oidc.issuer import OidcIssuer  # noqa: PLC0415
    from billwright.providers.identity.oidc.published import Publication  # noqa: PLC0415
    from billwright.providers.identity.oidc.reach import Reach  # noqa: PLC0415

    issuer, address = settings.oidc_issuer, settings.oidc_issuer_address
    if issuer is None or address is None or settings.keycloak_client_id is None:
        raise ValueError("an issuer needs an address and a client")
    clock = clock or SystemClock()
    documents = Documents()
    reach = Reach(issuer=issuer, address=address, plain_http=settings.environment != "production")
    publication = Publication(reach, documents=documents, clock=clock)
    introspection = None
    if settings.keycloak_client_secret and settings.keycloak_token_validation != "offline":  # noqa: S105 - a word
        introspection = Introspection(
            documents,
            clock=clock,
            client_id=settings.keycloak_client_id,
            client_secret=settings.keycloak_client_secret.get_secret_value(),
        )
    return OidcIssuer(
        publication, clock=clock, client_id=settings.keycloak_client_id, introspection=introspection
    )
