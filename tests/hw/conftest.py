# SPDX-License-Identifier: Apache-2.0
"""Components that are built only to be refused or asked for their parameters are no mistake."""


def pytest_configure(config):
    config.addinivalue_line("filterwarnings", "ignore::amaranth.hdl.UnusedElaboratable")
