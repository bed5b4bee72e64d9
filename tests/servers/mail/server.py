"""A mail server under test: aiosmtpd, which keeps what it takes over as one JSON file a letter, read by Python's own parser.

What it does with a letter is said by the recipient's local part, so that a test needs no channel to it beside SMTP:
`nobody@` is refused for good, `later@` is refused once and taken the second time, `spam@` is refused with its text,
`busy@` likewise but for now, once.
"""

import argparse
import asyncio
import email
import email.policy
import json
import os
import ssl

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--letters", required=True)
    parser.add_argument("--tls", choices=["none", "starttls", "wrapped"], default="none")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--login-only", action="store_true")
    return parser.parse_args()


class Keeper:
    """Decides, and keeps."""

    def __init__(self, folder):
        self.folder = folder

    def first_time(self, name):
        """Remembered beside the letters: a server that is started again has not forgotten."""
        mark = os.path.join(self.folder, f".{name}")
        if os.path.exists(mark):
            return False
        open(mark, "w").close()
        return True

    async def handle_RCPT(self, server, session, envelope, address, options):
        local = address.split("@")[0]
        if local == "nobody":
            return "550 5.1.1 no such user here"
        if local.startswith("later") and self.first_time(local):
            return "451 4.7.1 greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        local = envelope.rcpt_tos[0].split("@")[0]
        if local == "spam":
            return "554 5.7.1 this looks like spam"
        if local.startswith("busy") and self.first_time(local):
            return "452 4.3.1 no room at the moment"
        message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
        kept = {
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "headers": [[name, str(value)] for name, value in message.items()],
            "text": parts.get("text/plain"),
            "html": parts.get("text/html"),
            "defects": [repr(defect) for part in message.walk() for defect in part.defects],
            "raw": envelope.original_content.decode("latin-1"),
            "tls": server.transport.get_extra_info("ssl_object") is not None,
            "user": (session.auth_data.login.decode() if session.auth_data else None),
            "peer": session.peer[1],
        }
        number = len([name for name in os.listdir(self.folder) if name.endswith(".json")])
        path = os.path.join(self.folder, f"{number:05}.json")
        with open(path + ".part", "w") as file:
            json.dump(kept, file)
        os.rename(path + ".part", path)
        return "250 2.0.0 taken over"


def main():
    asked = arguments()
    options = {}
    if asked.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(asked.certificate, asked.key)
        options["ssl_context" if asked.tls == "wrapped" else "tls_context"] = context
        options["require_starttls"] = asked.tls == "starttls"
    if asked.user:

        def right(server, session, envelope, mechanism, data):
            known = isinstance(data, LoginPassword)
            known = known and data.login.decode() == asked.user and data.password.decode() == asked.password
            return AuthResult(success=known, auth_data=data, handled=False)

        options["authenticator"] = right
        options["auth_required"] = True
        options["auth_require_tls"] = asked.tls == "starttls"
        if asked.login_only:
            options["auth_exclude_mechanism"] = ["PLAIN"]
    controller = Controller(Keeper(asked.letters), hostname="127.0.0.1", port=asked.port, **options)
    controller.start()
    print("listening", flush=True)
    asyncio.new_event_loop().run_forever()


if __name__ == "__main__":
    main()
