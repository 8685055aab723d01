# SPDX-License-Identifier: Apache-2.0
"""Words of the memories in a generated Verilog text, to be changed by a test."""

import re

__all__ = ["changed_word", "filled"]

VALUE = r"(\d+)'([dh])([0-9a-f]+)"


def _number(base, digits):
    return int(digits, 16 if base == "h" else 10)


def changed_word(text, module, index, change):
    """The text with one word of a memory replaced by ``change(word)``.

    ``module`` is the end of the hierarchical name of the module that holds the memory alone.
    """
    pattern = rf"module \\scaledrop\.\S*{re.escape(module)} .*?\n    \w+\[{index}\] = {VALUE};"
    found = re.search(pattern, text, re.DOTALL)
    assert found is not None, module
    width, base, digits = found.groups()
    word = change(_number(base, digits)) & (1 << int(width)) - 1
    return f"{text[: found.start(1)]}{width}'h{word:x}{text[found.end(3) :]}"


def filled(text, names, rng):
    """The text with anything in the memories that match ``names``, and how many words these are."""

    def anything(match):
        width = int(match[2])
        value = int.from_bytes(rng.bytes(width // 8 + 1)) & (1 << width) - 1
        return f"{match[1]}{width}'h{value:x};"

    return re.subn(rf"^(    (?:{names})\[\d+\] = ){VALUE};", anything, text, flags=re.M)
