# SPDX-License-Identifier: Apache-2.0
"""Forms of an accelerator: everything, or what infers and no more."""

from __future__ import annotations

from enum import StrEnum

from scaledrop.errors import UserError

__all__ = ["Form"]


class Form(StrEnum):
    """How much of the accelerator is built. The numbers of the hardware are in this order."""

    FULL = "full"
    SMALL = "small"
    """Without event counters, monitors, records, sums of squares, mode exact, and without a way to
    load another network: what is left computes the same numbers from the same bits."""

    @classmethod
    def named(cls, name: str) -> Form:
        """The form of a name.

        Raises:
            UserError: there is none.
        """
        if name not in tuple(cls):
            raise UserError(f"form: must be {' or '.join(cls)}, not {name!r}")
        return cls(name)

    @property
    def number(self) -> int:
        """What the register FORM reads."""
        return list(Form).index(self)

    def require(self, feature: str) -> None:
        """Ask for something that only the full form has.

        Raises:
            UserError: names ``feature``, and how to get it.
        """
        if self is not Form.FULL:
            raise UserError(
                f"{feature}: the {self} form of the device has none; generate it with --form full"
            )
