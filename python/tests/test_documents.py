"""The examples of the documents run as they stand there."""

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = [
    pytest.param(code, id=f"{name}-{number}")
    for name in ("README.md", "docs/python.md", "python/README.md")
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(), re.S))
]


def test_there_are_examples():
    assert len(EXAMPLES) > 2


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_example_runs(code, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    exec(compile(code, "example", "exec"), {})
    assert capsys.readouterr().out.strip()
