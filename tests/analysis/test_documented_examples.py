"""The examples in the docstrings of analysis run, and analysis imports only NumPy and SciPy."""

import ast
import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import analysis

MODULES = [f"analysis.{module.name}" for module in pkgutil.iter_modules(analysis.__path__)]
ALLOWED = {"__future__", "collections", "dataclasses", "numpy", "scipy", "analysis"}
ALLOWED |= {"enum", "functools", "itertools", "math"}


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_analysis_imports_only_numpy_scipy_and_itself():
    for file in Path(analysis.__path__[0]).glob("**/*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert {name.split(".")[0] for name in names} <= ALLOWED, file
