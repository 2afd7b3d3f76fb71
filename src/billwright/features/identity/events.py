"""What happens to those who sign in?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from billwright.kernel.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCreated(Event):
    """Somebody can sign in who could not before."""

    type: ClassVar[str] = "user.created"
    subject_type: ClassVar[str] = "user"

    email: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserUpdated(Event):
    """A user has another address, role, password or lock; `changed` names what, in alphabetical order."""

    type: ClassVar[str] = "user.updated"
    subject_type: ClassVar[str] = "user"

    email: str
    role: str
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDeleted(Event):
    """A user is gone, with everything that opened something in their name."""

    type: ClassVar[str] = "user.deleted"
    subject_type: ClassVar[str] = "user"

    email: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailConfirmationRequested(Event):
    """A user is to prove their address by a code that is mailed to it."""

    type: ClassVar[str] = "user.email_confirmation_requested"
    subject_type: ClassVar[str] = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordResetRequested(Event):
    """Somebody asked for a code with which a user's password can be set anew."""

    type: ClassVar[str] = "user.password_reset_requested"
    subject_type: ClassVar[str] = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailChanged(Event):
    """A user has another address, and is told so at the former one."""

    type: ClassVar[str] = "user.email_changed"
    subject_type: ClassVar[str] = "user"

    former_email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationRepeated(Event):
    """Somebody registered with the address of an existing user, who is told so; nobody else is."""

    type: ClassVar[str] = "user.registration_repeated"
    subject_type: ClassVar[str] = "user"
