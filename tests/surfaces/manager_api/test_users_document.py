"""Does the document say of signing in and of users what clients were written against?"""

from __future__ import annotations

from typing import Any

import pytest

from billwright.surfaces.manager_api.app import create_manager_api

# method, path, operationId, status of success, whether anybody may call it
OPERATIONS = """
POST    /auth/login                         login                           200  public
POST    /auth/token                         exchangePersonalAccessToken     200  public
POST    /auth/register                      register                        201  public
POST    /auth/confirm-email                 confirmEmail                    200  public
POST    /auth/request-password-reset        requestPasswordReset            200  public
POST    /auth/reset-password                resetPassword                   200  public
POST    /auth/change-password               changePassword                  200  bearer
POST    /auth/logout                        logout                          204  bearer
GET     /auth/token-scopes                  listPersonalAccessTokenScopes   200  bearer
GET     /auth/tokens                        listPersonalAccessTokens        200  bearer
POST    /auth/tokens                        createPersonalAccessToken       201  bearer
PATCH   /auth/tokens/{id}                   updatePersonalAccessToken       200  bearer
DELETE  /auth/tokens/{id}                   revokePersonalAccessToken       204  bearer
GET     /users                              listUsers                       200  bearer
POST    /users                              createUser                      201  bearer
GET     /users/{id}                         getUser                         200  bearer
POST    /users/{id}                         updateUser                      200  bearer
DELETE  /users/{id}                         deleteUser                      204  bearer
POST    /users/{id}/lock                    lockUser                        201  bearer
POST    /users/{id}/unlock                  unlockUser                      201  bearer
GET     /users/{userId}/tokens              listUserPersonalAccessTokens    200  bearer
DELETE  /users/{userId}/tokens/{tokenId}    revokeUserPersonalAccessToken   204  bearer
"""
# what a client sends: all members, and those that it must
BODIES = {
    "LoginDto": "email* password*",
    "RegisterDto": "email* password*",
    "ConfirmEmailDto": "email* code*",
    "RequestPasswordResetDto": "email*",
    "ResetPasswordDto": "email* code* newPassword*",
    "ChangePasswordDto": "currentPassword* newPassword* newPasswordConfirmation*",
    "LogoutDto": "invalidateAllSessions",
    "ExchangePersonalAccessTokenDto": "token*",
    "CreatePersonalAccessTokenDto": "name* scopes* expiresAt",
    "UpdatePersonalAccessTokenDto": "name* scopes*",
    "CreateUserDto": "email* password* role",
    "UpdateUserDto": "email password role",
    # and what it is sent
    "LoginResponse": "access_token* user* scopes",
    "RegisterResponse": "user* message* emailConfirmed*",
    "MessageResponse": "message*",
    "ChangePasswordResponse": "message* access_token*",
    "UserResponse": "id* email* role* emailConfirmedAt lockedAt createdAt updatedAt",
    "PersonalAccessTokenScopeDto": "scope*",
    "PersonalAccessTokenResponseDto": "id* name* tokenPrefix* scopes* expiresAt* revokedAt* "
    "lastUsedAt* createdAt* token",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_manager_api().openapi()


def test_every_operation_is_where_clients_call_it(document):
    assert {
        (
            method.upper(),
            path,
            operation["operationId"],
            *(status for status in operation["responses"] if status.startswith("2")),
            "public" if operation.get("security") == [] else "bearer",
        )
        for path, methods in document["paths"].items()
        if path.startswith(("/auth/", "/users"))
        for method, operation in methods.items()
    } == {tuple(line.split()) for line in OPERATIONS.strip().splitlines()}
    assert document["security"] == [{"bearerAuth": []}]


@pytest.mark.parametrize("name", BODIES)
def test_every_body_has_the_members_that_clients_know(document, name):
    schema = document["components"]["schemas"][name]
    members = {
        member + "*" * (member in schema.get("required", ())) for member in schema["properties"]
    }
    assert members == set(BODIES[name].split())


def test_every_member_is_explained(document):
    schemas = document["components"]["schemas"]
    assert [
        f"{name}.{member}"
        for name in BODIES
        for member, about in schemas[name]["properties"].items()
        if "description" not in about
    ] == []
    assert [
        name for name in BODIES if name.endswith("Dto") and "description" not in schemas[name]
    ] == []
