"""Opening configurations."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scalecalc import profile
from scalecalc.walk.profile import Profile

Open = Callable[..., Profile]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """The profile of a configuration: `opened(sequential(...), family=True)`."""

    def open_(document: Any, **options: Any) -> Profile:
        path = tmp_path / "model.json"
        path.write_text(json.dumps(document))
        return profile(path, **options)

    return open_
