"""The laws there are: shipped files, plug-ins, and files of the user."""

from __future__ import annotations

from pathlib import Path

from scalecalc.errors import LawError
from scalecalc.laws.law import Law
from scalecalc.laws.reading import laws_of
from scalecalc.loading import bounded_yaml, shipped_yaml

DATA = Path(__file__).parent / "data"
GROUP = "scalecalc.laws"


def shipped() -> dict[str, Law]:
    """Every law of this package, by name."""
    return {law.name: law for path in sorted(DATA.glob("*.yaml")) for law in _read_shipped(path)}


def catalogue() -> dict[str, Law]:
    """Every shipped and installed law, by name.

    An entry point of the group `scalecalc.laws` gives a `Law`, or the path of a YAML file that holds laws.
    """
    from scalecalc.plugins import table

    laws = shipped()
    origins = dict.fromkeys(laws, "scalecalc")
    for plugin in table(GROUP).values():
        value = plugin.load()
        if value is None:
            continue
        if not isinstance(value, Law | str | Path):
            where = f"{plugin.target} of {plugin.origin}"
            raise LawError(f"is {type(value).__name__}, not a Law or a path", where=where, todo=f"tell {plugin.origin}")
        for law in (value,) if isinstance(value, Law) else read(value):
            if law.name in laws:
                what = f"comes from both {origins[law.name]} and {plugin.origin}"
                raise LawError(what, where=f"law {law.name}", todo=f"uninstall {plugin.origin} or rename it")
            laws[law.name], origins[law.name] = law, plugin.origin
    return laws


def read(path: str | Path) -> tuple[Law, ...]:
    """The laws of a user's YAML file, bounded and checked."""
    return laws_of(bounded_yaml(path), str(path))


def load(name_or_path: str | Path) -> Law:
    """A law by its name, by a file that holds it alone, or by `file.yaml#name`.

    Raises:
        LawError: no such law, or several in the file.
    """
    text = str(name_or_path)
    path, _, wanted = text.partition("#")
    if path.endswith((".yaml", ".yml")):
        laws = {law.name: law for law in read(path)}
        if not wanted and len(laws) == 1:
            return next(iter(laws.values()))
        if wanted not in laws:
            names = ", ".join(laws)
            raise LawError(f"holds {names}", where=path, todo=f"name one of them: {path}#{next(iter(laws), '')}")
        return laws[wanted]
    return _named(text)


def _named(name: str) -> Law:
    # a file is called like the publication its laws' names start with
    for file in sorted(DATA.glob("*.yaml")):
        if name == file.stem or name.startswith(file.stem + "-"):
            for law in _read_shipped(file):
                if law.name == name:
                    return law
    laws = catalogue()
    if name in laws:
        return laws[name]
    import difflib

    near = difflib.get_close_matches(name, laws, n=3)
    todo = f"try {', '.join(near)}, or give a YAML file" if near else "scalecalc laws lists them; or give a YAML file"
    raise LawError(f"no law {name[:60]!r}", todo=todo)


def _read_shipped(path: Path) -> tuple[Law, ...]:
    return laws_of(shipped_yaml(path), path.stem)
