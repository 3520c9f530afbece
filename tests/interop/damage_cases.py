"""What a case of seeded damage is, and the register of all."""

import dataclasses
import typing

import realserver
import redoubt

PLAIN = realserver.Config(undo_tablespaces=2, log_size="16M")
OLD = realserver.Config(page_size=4096, checksum="crc32", log_size="16M")
ENCRYPTED = realserver.Config(encryption="cbc", log_size="16M")
COMPRESSED = realserver.Config(page_compressed="zlib", log_size="16M")
CONFIGS = (PLAIN, OLD, ENCRYPTED, COMPRESSED)
UNENCRYPTED = (PLAIN, OLD, COMPRESSED)
READABLE = (PLAIN, OLD)  # every page is to be seen and changed as it is

CASES = []


@dataclasses.dataclass(frozen=True)
class Place:
    """Where the finding has to point; and how verify is called when not in the ordinary way."""

    file: str = None           # relative to the data directory, as findings have it
    page: int = None
    space: int = None
    also: tuple = ()           # other files that may have damage findings: consequences
    target: str = None         # what is verified, relative to the data directory
    options: tuple = ()
    keys: str = "right"        # or "none", "wrong", "ctr" (the mode that was not used)
    words: tuple = ()          # of the messages


@dataclasses.dataclass(frozen=True)
class Case:
    """One kind of damage and what must come of it."""

    title: str
    kind: str                  # of the finding; None: the command ends without one
    code: int
    severity: str
    configs: tuple
    do: typing.Callable        # given a Victim, damages it and returns a Place
    pages_only: bool = False   # it uses nothing but Victim.write() and edit()


def case(title, kind, code=redoubt.DAMAGE, severity="damage", configs=CONFIGS, pages_only=False):
    """Registers the decorated function."""
    def register(function):
        CASES.append(Case(title, kind, code, severity, configs, function, pages_only))
        return function
    return register
