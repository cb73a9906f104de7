"""Every test of an operation once more, with every byte sealed: nobody but ``content`` takes stored bytes for the object's."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import tests.operations
from ozgate.testing.xorseal import XorSealing
from tests.operations.support import OperationTestCase


class Sealed:
    """Has a test's gateway seal what it stores."""

    sealing = XorSealing()


def _sealed_cases() -> dict[str, type[Any]]:
    """The test cases of operations, with the gateway sealing."""
    cases: dict[str, type[Any]] = {}
    for info in iter_modules(tests.operations.__path__):
        if not info.name.startswith("test_"):
            continue
        module = import_module(f"tests.operations.{info.name}")
        for name, case in vars(module).items():
            if (
                isinstance(case, type)
                and issubclass(case, OperationTestCase)
                and case.__module__ == module.__name__
            ):
                sealed = f"{info.name.removeprefix('test_')}_{name}"
                members = {"__module__": __name__, "__doc__": case.__doc__}
                cases[sealed] = type(sealed, (Sealed, case), members)
    return cases


globals().update(_sealed_cases())
