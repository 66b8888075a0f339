"""A small OpenID Connect provider on a socket: discovery, authorization, token and keys (OpenID Connect Core 1.0).

It signs in the person of `claims` without asking. It checks the client, the code, its redirect URI and PKCE (RFC 7636).
"""

import base64
import hashlib
import json
import secrets
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "voicehub", "secret-of-the-client"
KEY_ID = "key-1"


class IdentityProvider:
    """`claims` are about the person, `overrides` replace claims of the token, `signing_key` signs it."""

    def __init__(self) -> None:
        self.key = self.signing_key = rsa.generate_private_key(65537, 2048)
        self.claims: dict[str, Any] = {}
        self.overrides: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.make_handler())
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def make_handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
                if path == "/.well-known/openid-configuration":
                    self.send_json(200, provider.describe())
                elif path == "/keys":
                    self.send_json(200, {"keys": [provider.publish_key()]})
                elif path == "/authorize":
                    self.send_response(302)
                    self.send_header("Location", provider.authorize({name: value[0] for name, value in query.items()}))
                    self.end_headers()
                else:
                    self.send_json(404, {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.send_json(*provider.exchange({name: value[0] for name, value in parse_qs(body).items()}))

            def send_json(self, status: int, value: dict[str, Any]) -> None:
                content = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Nothing is printed."""

        return Handler

    def describe(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def publish_key(self) -> dict[str, Any]:
        public: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {**public, "kid": KEY_ID, "use": "sig", "alg": "RS256"}

    def authorize(self, query: dict[str, str]) -> str:
        assert query["client_id"] == CLIENT_ID
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def exchange(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        query = self.codes.pop(form["code"], {})
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        is_valid = (form["client_id"], form["client_secret"]) == (CLIENT_ID, CLIENT_SECRET)
        is_valid &= form["redirect_uri"] == query.get("redirect_uri")
        is_valid &= base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == query.get("code_challenge")
        if not is_valid:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "sub": "1", "iat": now, "exp": now + 300, **self.claims}
        token = jwt.encode(claims | self.overrides, self.signing_key, "RS256", headers={"kid": KEY_ID})
        return 200, {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "id_token": token}
