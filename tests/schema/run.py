"""Sends what the API's own description allows, and what it does not, to a real service, as each role (schemathesis).

    python run.py ARCHIVER [EXAMPLES [ACCOUNT...]]

Fails on any 5xx, on a status that the description does not name, and on an answer that is not as described.
"""
import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

import requests
import urllib3

urllib3.disable_warnings()  # The certificate signs itself.

ROLES = {"keiri": "depositor", "homu": "retriever", "kansa": "auditor", "unyo": "operator", "kensa": "inspector", "kagi": "key-custodian", "kiroku": "records-manager"}
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,use_after_free"


def code(secret):
    """The code of an authenticator now (RFC 6238)."""
    text = secret.replace(" ", "").rstrip("=")
    key = base64.b32decode(text + "=" * (-len(text) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    place = mac[19] & 15
    return "%06d" % ((struct.unpack(">I", mac[place : place + 4])[0] & 0x7FFFFFFF) % 1000000)


class Service:
    """An archive of its own, served, with an account for each role."""

    def __init__(self, archiver):
        self.place = tempfile.mkdtemp(prefix="fumikura-schema-")
        with open(os.path.join(self.place, "pass"), "w") as file:
            file.write("a passphrase for trying out\n")
        self.common = [os.path.abspath(archiver), "--passphrase-file", "pass", "--lang", "en"]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.base = f"https://localhost:{port}"
        self.run("init", "--data", "a", "--data", "b", "--keys", "k", "--evaluation")
        told = self.run("--json", "service", "prepare", "--listen", f"127.0.0.1:{port}", "--administrator", "sato=Sato", "--administrator", "suzuki=Suzuki")
        first = {line["account"]: line["password"] for line in map(json.loads, told.splitlines()) if line.get("event") == "first-password"}
        log = open(os.path.join(self.place, "serve.log"), "wb")
        self.process = subprocess.Popen(self.common + ["serve", "--listen", f"127.0.0.1:{port - 1}"], cwd=self.place, stdout=log, stderr=log)
        self.wait()
        self.tokens = {}
        for name, password in first.items():
            self.settle(name, password)
        for name, role in ROLES.items():
            form = {"account": name, "display_name": name, "kind": "person", "roles": [role], "reason": "test"}
            request = self.ask("POST", "/api/v1/people/requests", "sato", form)["request"]
            self.settle(name, self.ask("POST", f"/api/v1/people/requests/{request}/approval", "suzuki")["password"])

    def run(self, *words):
        ended = subprocess.run(self.common + list(words), cwd=self.place, capture_output=True, text=True)
        assert ended.returncode == 0, f"{words}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def wait(self):
        for _ in range(600):
            try:
                if requests.get(self.base + "/readyz", verify=False, timeout=5).ok:
                    return
            except requests.RequestException:
                pass
            assert self.process.poll() is None, "the service ended"
            time.sleep(0.1)
        raise AssertionError("the service did not start")

    def ask(self, method, path, name=None, body=None, data=None):
        headers = {"authorization": "Bearer " + self.tokens[name]} if name else {}
        answer = requests.request(method, self.base + path, headers=headers, json=body, data=data, verify=False, timeout=60)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else {}

    def settle(self, name, password):
        """The first log-in: another password, an authenticator."""
        new = "Kumo to hoshi 9 " + name[::-1]
        self.tokens[name] = self.ask("POST", "/api/v1/session", body={"name": name, "password": password})["token"]
        self.tokens[name] = self.ask("POST", "/api/v1/session/password", name, {"old": password, "new": new}).get("token", self.tokens[name])
        secret = self.ask("POST", "/api/v1/session/authenticator", name)["secret"]
        self.tokens[name] = self.ask("PUT", "/api/v1/session/authenticator", name, {"code": code(secret)}).get("token", self.tokens[name])

    def end(self):
        self.process.terminate()
        assert self.process.wait(60) == 0, "the service did not end in order"
        shutil.rmtree(self.place)


def main():
    archiver, examples, names = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "10", sys.argv[3:]
    service = Service(archiver)
    failed = []
    try:
        for day in range(1, 4):
            path = f"/api/v1/records?class=received-invoice&name=invoice-{day}.txt&date=2026-10-0{day}&amount={day}000&counterparty=ABC"
            service.ask("POST", path, "keiri", data=b"invoice %d" % day)
        service.ask("POST", "/api/v1/jobs/stamp", "unyo")
        for name in names or service.tokens:
            # What ends the own session, or locks oneself out, has its own tests.
            command = ["schemathesis", "run", service.base + "/api/v1/openapi.json", "--tls-verify", "false", "--checks", CHECKS, "--max-examples", examples,
                       "--exclude-path-regex", "/session", "--continue-on-failure", "--seed", "7", "--request-timeout", "60", "--no-color",
                       "-H", "authorization: Bearer " + service.tokens[name]]
            ended = subprocess.run(command, cwd=service.place, capture_output=True, text=True)
            # The exit status also tells of warnings about the description; what counts is that each case that was sent passed.
            counts = re.search(r"(\d+) generated, (\d+) passed\b", ended.stdout)
            if counts and counts[1] == counts[2] and int(counts[1]) > 0:
                print(f"{name}: {counts[0]}", flush=True)
            else:
                print(f"{name}: {ended.stdout[-8000:]}{ended.stderr[-2000:]}", flush=True)
                failed.append(name)
    finally:
        service.end()
    if failed:
        sys.exit(f"not as described: {', '.join(failed)}")
    print("the API answers as it is described")


main()
