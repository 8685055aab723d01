# SPDX-License-Identifier: Apache-2.0
"""A Liberty file as a tree of groups."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from scaledrop.errors import UserError

__all__ = ["Group", "parse"]

_TOKEN = re.compile(
    r"/\*.*?\*/|//[^\n]*|\\\r?\n|[ \t\r\f]+"  # passed over
    r"|(?P<line>\n\s*)"
    r"|(?P<text>\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<mark>[(){}:;,])"
    r"|(?P<word>[^\s(){}:;,\"]+)",
    re.S,
)


@dataclass
class Group:
    """``kind (name) { ... }``.

    Attributes:
        kind: As ``cell``.
        name: Its arguments, joined by commas, without quotes.
        simple: Simple and complex attributes; the last of each name. Arguments of a complex one are
            joined by commas.
        many: Complex attributes that come more than once, in order.
        groups: The groups inside.
    """

    kind: str
    name: str
    simple: dict[str, str] = field(default_factory=dict)
    many: dict[str, list[str]] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)

    def of(self, kind: str) -> Iterator[Group]:
        """The groups of a kind."""
        return (one for one in self.groups if one.kind == kind)

    def first(self, kind: str) -> Group | None:
        """The first of a kind."""
        return next(self.of(kind), None)

    def number(self, name: str, default: float) -> float:
        """An attribute as a number.

        Raises:
            UserError: it is none.
        """
        text = self.simple.get(name)
        if text is None:
            return default
        try:
            return float(text)
        except ValueError:
            raise UserError(
                f"liberty: {name} of {self.kind} {self.name} is {text!r}, not a number; correct it"
            ) from None


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """Tokens, and whether each is the first of its line."""
    first = True
    for found in _TOKEN.finditer(text):
        if found.lastgroup == "line":
            first = True
        elif found.lastgroup is not None:
            yield found[0], first
            first = False


def _plain(word: str) -> str:
    return word[1:-1].replace("\\\n", " ") if word.startswith('"') else word


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.next, self.first = next(self.tokens, ("", True))

    def take(self) -> str:
        found = self.next
        self.next, self.first = next(self.tokens, ("", True))
        return found

    def value(self) -> str:
        """Words up to the semicolon, or to the end of the line where a file leaves it out."""
        words = [self.take()]
        while self.next not in (";", "}", "") and not self.first:
            words.append(self.take())
        return " ".join(_plain(word) for word in words)

    def arguments(self) -> str:
        self.take()
        found: list[str] = []
        while self.next not in (")", ""):
            word = self.take()
            if word != ",":
                found.append(_plain(word))
        self.take()
        return ",".join(found)

    def body(self, group: Group) -> None:
        """The inside of a group, up to its closing brace."""
        while self.next not in ("}", ""):
            name = self.take()
            if name == ";":
                continue
            if self.next == ":":
                self.take()
                group.simple[name] = self.value()
            elif self.next == "(":
                self.called(group, name)
            else:
                raise UserError(
                    f"liberty: {name!r} in {group.kind} {group.name} is neither an attribute nor a "
                    "group; correct the file"
                )
        if not self.take():
            raise UserError(
                f"liberty: {group.kind} {group.name} is not closed; the file is cut off"
            )

    def called(self, group: Group, name: str) -> None:
        """A complex attribute, or a group."""
        given = self.arguments()
        if self.next != "{":
            group.simple[name] = given
            group.many.setdefault(name, []).append(given)
            return
        self.take()
        inside = Group(name, given)
        self.body(inside)
        group.groups.append(inside)


def parse(text: str) -> Group:
    """The ``library`` group of a Liberty file.

    Raises:
        UserError: it has none, or is cut off or malformed.
    """
    reader = _Reader(text)
    top = Group("file", "")
    if reader.next != "library":
        raise UserError(
            "liberty: the file does not begin with a library group; give a Liberty file"
        )
    reader.called(top, reader.take())
    return top.groups[0]
