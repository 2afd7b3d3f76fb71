"""Is a mail handed over once and whole, and is every kind of no understood?"""

from __future__ import annotations

import asyncio
import email
import ipaddress
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.policy import default
from time import perf_counter

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from billwright.features.notifications.port import (
    MailAddress,
    MailRejected,
    MailUnavailable,
    Message,
)
from billwright.providers.mail.smtp import SmtpMailer, SmtpServer, TlsMode
from tests.providers.mail.message_samples import sample_message
from tests.providers.mail.smtp_server import TestServer, running


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Contexts of a server with a certificate of its own and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=36500))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(path)
    return server_side, ssl.create_default_context(cafile=str(path))


def deliver(
    server: TestServer,
    message: Message | None = None,
    *,
    implicit_tls: ssl.SSLContext | None = None,
    **options,
) -> None:
    async def handed_over() -> None:
        async with running(server, implicit_tls=implicit_tls):
            address = SmtpServer(
                **{"host": "127.0.0.1", "port": server.port, "tls": TlsMode.NONE} | options
            )
            await SmtpMailer(address).deliver(message or sample_message())

    asyncio.run(handed_over())


def test_a_mail_arrives_whole():
    server, message = TestServer(), sample_message()
    deliver(server, message)
    (content,) = server.mails
    mail = email.message_from_bytes(content.replace(b"\r\n..", b"\r\n."), policy=default)
    assert mail["Message-ID"] == f"<{message.id}@example.com>"
    assert mail["Subject"] == message.subject
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n") == message.text
    assert next(mail.iter_attachments()).get_content() == b"%PDF-\x00\xff"
    assert any(line.startswith("MAIL FROM:<billing@example.com>") for line in server.commands)
    assert [line for line in server.commands if line.startswith("RCPT")] == [
        "RCPT TO:<jane@example.org>"
    ]


def test_starttls_before_login_and_mail(certificate):
    server_side, client_side = certificate
    server = TestServer(tls=server_side, login=("billing", "secret"))
    deliver(
        server,
        tls=TlsMode.STARTTLS,
        tls_context=client_side,
        username="billing",
        password="secret",
    )
    assert server.secured
    verbs = [line.split()[0].upper() for line in server.commands]
    assert verbs.index("STARTTLS") < verbs.index("AUTH") < verbs.index("MAIL")
    assert len(server.mails) == 1


def test_implicit_tls(certificate):
    server_side, client_side = certificate
    server = TestServer()
    deliver(server, implicit_tls=server_side, tls=TlsMode.IMPLICIT, tls_context=client_side)
    assert len(server.mails) == 1


def test_starttls_never_falls_back_to_plain_text():
    server = TestServer()
    with pytest.raises(MailUnavailable):
        deliver(server, tls=TlsMode.STARTTLS)
    assert not any(line.startswith("MAIL") for line in server.commands)


def test_a_certificate_nobody_vouches_for_is_not_trusted(certificate):
    server = TestServer(tls=certificate[0])
    with pytest.raises(MailUnavailable):
        deliver(server, tls=TlsMode.STARTTLS)
    assert server.mails == []


@pytest.mark.parametrize(
    ("command", "answer", "expected"),
    [
        ("MAIL", "550 no such sender", MailRejected),
        ("MAIL", "451 later", MailUnavailable),
        ("MAIL", "530 log in first", MailUnavailable),
        ("RCPT", "550 no such mailbox", MailRejected),
        ("RCPT", "450 greylisted", MailUnavailable),
        ("RCPT", "421 shutting down", MailUnavailable),
        ("DATA", "554 no", MailRejected),
        (".", "552 too large", MailRejected),
        (".", "452 full", MailUnavailable),
        (".", "drop", MailUnavailable),
        ("220", "554 go away", MailUnavailable),
        ("220", "421 busy", MailUnavailable),
        ("MAIL", "drop", MailUnavailable),
    ],
)
def test_answers(command, answer, expected):
    server = TestServer(answers={command: answer})
    with pytest.raises(expected):
        deliver(server)
    assert server.mails == []


def test_a_refused_login_is_not_the_mails_fault(certificate):
    server_side, client_side = certificate
    server = TestServer(tls=server_side, login=("billing", "secret"))
    with pytest.raises(MailUnavailable):
        deliver(
            server,
            tls=TlsMode.STARTTLS,
            tls_context=client_side,
            username="billing",
            password="wrong",
        )


@pytest.mark.parametrize("command", ["220", "MAIL", "."])
def test_silence_is_bounded(command):
    server = TestServer(answers={command: "hang"})
    started = perf_counter()
    with pytest.raises(MailUnavailable):
        deliver(server, timeout_seconds=1)
    assert perf_counter() - started < 5


@pytest.mark.parametrize("answer", ["hang", "drop", "500 what"])
def test_a_failed_farewell_does_not_undo_the_delivery(answer):
    server = TestServer(answers={"QUIT": answer})
    deliver(server)
    assert len(server.mails) == 1


def test_nobody_listens():
    async def deliver_to_closed_port() -> None:
        async with running(TestServer()) as server:
            port = server.port
        await SmtpMailer(SmtpServer(host="127.0.0.1", port=port, tls=TlsMode.NONE)).deliver(
            sample_message()
        )

    with pytest.raises(MailUnavailable):
        asyncio.run(deliver_to_closed_port())


def test_an_address_the_server_cannot_write_is_rejected():
    message = replace(sample_message(), recipient=MailAddress("jürgen@example.org"))
    with pytest.raises(MailRejected):
        deliver(TestServer(), message)


def test_the_password_is_not_shown():
    server = SmtpServer(host="127.0.0.1", port=25, username="billing", password="secret")
    assert "secret" not in repr(server)
