"""What the documentation shows is what the program does."""

import doctest
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", generator().WITH_OUTPUTS)
def test_outputs_shown(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / page).read_text(encoding="utf-8")
    assert len(generator().OUTPUT.findall(text)) == text.count("<!-- output:") > 1
    assert generator().readme(text) == text, "run python docs/generate.py"


@pytest.mark.parametrize("page", ["README.md", "docs/extending.md"])
def test_python_in_the_documentation(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    test = doctest.DocTestParser().get_doctest(blocks, {}, page, page, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    report: list[str] = []
    runner.run(test, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)
    assert test.examples


def test_generated_pages_are_up_to_date() -> None:
    for name, text in generator().pages().items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, f"run python docs/generate.py for {name}"


def test_links_in_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([\w./]+)(?:#[\w-]+)?\)", README.read_text(encoding="utf-8")):
        assert (ROOT / target).exists()


def test_the_schema_is_up_to_date() -> None:
    text = (ROOT / "docs" / "spec.schema.json").read_text(encoding="utf-8")
    assert generator().schema() == text, "run python docs/generate.py"


def test_the_first_specification_of_the_documentation_can_be_read(tmp_path: Path) -> None:
    from scalecalc import profile

    text = (ROOT / "docs" / "specs.md").read_text(encoding="utf-8")
    path = tmp_path / "classifier.yaml"
    path.write_text(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0], encoding="utf-8")
    # 784*256 + 256, three times 2*256 + 256*1024 + 1024 + 1024*256 + 256, 256*10 + 10
    assert profile(path).params["trainable"].value({"width": 256, "depth": 3}) == 200_960 + 3 * 526_080 + 2_570
