"""The worked examples of docs/methods.md run, and name every module of the statistics."""

import doctest
import pkgutil
import re
from pathlib import Path

import analysis

PAGE = Path(__file__).parents[1] / "docs/methods.md"


def test_worked_examples_give_the_figures_of_this_version():
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.attempted > 40 and result.failed == 0


def test_every_module_of_the_statistics_is_explained():
    text = PAGE.read_text("utf-8")
    modules = {module.name for module in pkgutil.iter_modules(analysis.__path__)} - {"_validation"}
    assert {name for name in modules if not re.search(rf"\b{name}\.\w+\(", text)} == set()
