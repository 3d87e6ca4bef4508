"""Errors that come back from other processes."""

import pickle

import pytest

from cowgan.errors import Cancelled, CowganError, SeveralErrors

ERRORS = (
    Cancelled(),
    CowganError("The disk is full.", "errno 28"),
    SeveralErrors([CowganError("One.", "first"), CowganError("Two.")]),
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_comes_back_from_another_process_as_it_was(error):
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (copy.sentence, copy.detail, str(copy)) == (error.sentence, error.detail, str(error))
