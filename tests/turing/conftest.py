"""Fixtures shared by tests of studies."""

import pytest


@pytest.fixture
def fixed_salt(monkeypatch) -> None:
    """Take chance out of dither, roles and seeds; names in packages stay random."""
    monkeypatch.setattr("cowgan.turing.study.creation.new_salt", lambda: bytes(range(32)))
