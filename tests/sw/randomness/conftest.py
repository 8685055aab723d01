# SPDX-License-Identifier: Apache-2.0
import number_digits as digits
import numpy as np
import pytest


def _kept(path, make):
    if not path.exists():
        np.save(path, np.packbits(make()))
    return np.unpackbits(np.load(path))


@pytest.fixture(scope="session")
def e_digits(cache):
    return _kept(cache / "digits-of-e.npy", digits.e)


@pytest.fixture(scope="session")
def pi_digits(cache):
    """1 004 882 digits, as many as NIST's file has."""
    return _kept(cache / "digits-of-pi.npy", lambda: digits.pi(1_004_882))[:1_004_882]


@pytest.fixture(scope="session")
def root_digits(cache):
    return {n: _kept(cache / f"digits-of-root-{n}.npy", lambda n=n: digits.root(n)) for n in (2, 3)}
