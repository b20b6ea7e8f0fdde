# SPDX-License-Identifier: Apache-2.0
"""Annotations can be looked up at run time, as frameworks do that inject or check arguments."""

import importlib
import inspect
import typing

import pytest

import pythemis

MODULES = [importlib.import_module(f"pythemis.{name}") for name in pythemis._MODULES]


def functions(module):
    """Give what can be called in a module, by name: functions, and the methods of classes."""
    for name in module.__all__:
        public = getattr(module, name)
        if inspect.isfunction(public):
            yield name, public
        elif inspect.isclass(public):
            for base in public.__mro__:
                for method, function in vars(base).items():
                    if inspect.isfunction(function) and base.__module__.startswith("pythemis."):
                        yield f"{name}.{method}", function


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_annotation_can_be_looked_up(module):
    """No name in one of them is known to type checkers alone."""
    found = dict(functions(module))
    for name, function in found.items():
        hints = typing.get_type_hints(function)
        signature = inspect.signature(function, eval_str=True)
        assert set(hints) - {"return"} <= set(signature.parameters), name
    for name in module.__all__:
        if inspect.isclass(public := getattr(module, name)):
            typing.get_type_hints(public)
    assert found
