"""``cowgan turing serve`` and ``cowgan turing link``."""

import json
import shutil
import socket
import ssl
import subprocess
import sys
from urllib.request import urlopen

import pytest
from command_line import cowgan
from reading_pages import Browser, free_port, served, start_server, wait_for


def test_links_are_printed_once_and_work(study, port):
    shown = cowgan("turing", "link", study.folder, "--json", "--origin", "http://127.0.0.1:8765")
    links = json.loads(shown.stdout)
    assert list(links) == ["sub-R01", "sub-R02"]
    token = links["sub-R02"].removeprefix("http://127.0.0.1:8765/#")
    browser = Browser(port)
    assert browser.enter(token).status == 204
    assert browser.ask("GET", "/api/reading").json["reader"] == "sub-R02"
    again = cowgan("turing", "link", study.folder)
    assert "All readers have a link" in again.stdout
    revoked = cowgan("turing", "link", study.folder, "sub-R02", "--revoke")
    assert revoked.stdout == "Revoked: sub-R02.\n"
    assert browser.ask("GET", "/api/reading").status == 401


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("serve", "{study}/packages"), "is not a study"),
        (("serve", "{study}", "--host", "0.0.0.0"), "unencrypted"),
        (("serve", "{study}", "--certfile", "cert.pem"), "--keyfile"),
        (("link", "{study}", "sub-R77"), "no reader sub-R77"),
        (("link", "{study}", "--revoke"), "Name the readers"),
        (("link", "{study}", "--origin", "http://reading.example.org"), "not encrypted"),
    ],
)
def test_mistakes_are_told_in_a_sentence(study, arguments, words):
    result = cowgan("turing", *(part.format(study=study.folder) for part in arguments))
    assert result.returncode == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_second_server_and_a_taken_port_are_refused(study, tmp_path):
    port = free_port()
    first = start_server(study.folder, port)
    try:
        again = cowgan("turing", "serve", study.folder, "--port", free_port())
        other = shutil.copytree(study.folder, tmp_path / "other")
        taken = cowgan("turing", "serve", other, "--port", port)
    finally:
        first.kill()
        first.wait()
    assert "in use by another window or process" in again.stderr
    assert "--port" in taken.stderr


def test_the_key_is_not_needed(study):
    shutil.rmtree(study.folder / "key")
    with served(study.folder) as port:
        links = json.loads(cowgan("turing", "link", study.folder, "--json").stdout)
        browser = Browser(port)
        browser.enter(links["sub-R01"].partition("#")[2])
        assert browser.ask("GET", "/api/reading").status == 200


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_a_certificate_encrypts(study, tmp_path):
    certificate, key, port = tmp_path / "cert.pem", tmp_path / "key.pem", free_port()
    made = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {key} -out {certificate}"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*made.split(), *names], check=True, capture_output=True)
    swapped = cowgan("turing", "serve", study.folder, "--certfile", key, "--keyfile", certificate)
    assert "no certificate with its key" in swapped.stderr
    command = [sys.executable, "-m", "cowgan.cli", "turing", "serve", str(study.folder)]
    tls = ["--certfile", str(certificate), "--keyfile", str(key), "--port", str(port)]
    server = subprocess.Popen([*command, *tls], stdout=subprocess.DEVNULL)
    try:
        wait_for(port, server)
        trusted = ssl.create_default_context(cafile=str(certificate))
        with urlopen(f"https://localhost:{port}/health", context=trusted) as reply:
            assert json.load(reply) == {"ok": True}
            assert "max-age" in reply.headers["strict-transport-security"]
        with socket.create_connection(("127.0.0.1", port)) as plain:
            plain.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"200" not in plain.recv(1000)
    finally:
        server.kill()
        server.wait()
