# SPDX-License-Identifier: Apache-2.0
"""What a component says when it is given an impossible parameter."""

import pytest

from scaledrop.errors import UserError


def refusal(component, good, wrong):
    """Text with which ``component`` refuses ``good`` parameters changed by ``wrong``."""
    component(**good)
    with pytest.raises(UserError) as caught:
        component(**{**good, **wrong})
    return str(caught.value)
