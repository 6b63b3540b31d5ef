"""Every step of both verifiers, taken out one at a time: what the mutation test removes.

A step is a statement that takes a finding down, a refusal (`raise`, an early `return False`), one operand of a
condition, one side of a range, one element of two tuples that are compared, or the whole answer of a function that
answers yes or no. It is taken out of the living function, so that whoever calls it, under whatever name, gets
the other.

    python -m tests.fakes.audit_mutants        rewrites audit_killers.json (where to look first) and audit_spare.json
"""

import ast
import inspect
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from facefusion_live.adapters.storage import archive, database, imports, manifest, mirror, reader, schema, tip
from facefusion_live.domain.audit import (
    anchors,
    canonical,
    chain,
    event,
    merkle,
    mirror_check,
    note,
    report,
    seal_check,
    selection,
    verify,
)
from tests.fakes import audit_units as units
from tests.fakes.audit_corpus import CORPUS, Case
from tests.fakes.audit_rings import rings
from tests.fakes.audit_verifiers import ALONE, Answer, alone_answers, program_answers

KILLERS = Path(__file__).with_name("audit_killers.json")
SPARE = Path(__file__).with_name("audit_spare.json")
"""Steps without which no case is judged otherwise, each with the reason why. New ones are put there without: look
whether a case is wanted, and write down why not."""
FINDERS = {
    *("find", "_find", "_find_coverage", "_anchor", "_forged_prune", "checked"),
    *("add", "looked_into", "want", "_want", "report_found", "repeat_findings", "compare_genesis"),
}
COLLECTED = {"flaws", "missing", "unclosed", "_unclosed"}
"""What is gathered first and becomes findings later."""
EVERYTHING = frozenset({""})
PROGRAM: dict[ModuleType, frozenset[str]] = {
    anchors: EVERYTHING,
    canonical: frozenset({"check", "_check_items", "_check_keys", "_check_text"}),
    chain: EVERYTHING,
    event: frozenset({"utc_us", "check_event", "_second_us", "_words", "_is_count", "_counts_add_up"}),
    merkle: frozenset({"includes", "extends", "Frontier.__init__"}),
    note: frozenset({"Note.signed_by", "Checkpoint.parse", "parse_note", "_signature", "_log_id", "_number"}),
    report: frozenset({"LogReport.find", "LogReport.checked", "exit_code"}),
    seal_check: EVERYTHING,
    selection: EVERYTHING,
    verify: EVERYTHING,
    archive: frozenset({"Archive.rows", "Archive._bodies", "archives_of", "_all_archives"}),
    database: frozenset({"rows_of", "notes_of"}),
    imports: EVERYTHING,
    manifest: frozenset({"report_found", "heads_of", "read", "_check_log", "_check_found", "_has", "_want"}),
    mirror: frozenset(
        {"Mirror.recall", "Mirror.known_logs", "Mirror.flaws", "_file_at", "_line", "_head", "_has_parts"}
    ),
    mirror_check: EVERYTHING,
    reader: frozenset(
        {"LogReader.verify", "LogReader._examine", "LogReader.verify_one", "LogReader._verified", "_is_whole"}
    ),
    schema: frozenset({"flaws"}),
    tip: frozenset({"log_id_of", "horizon_of"}),
}
NOT_STEPS = {"main", "report", "as_json", "printable", "address_of", "fingerprint"}
"""Functions of the verifier that stands alone that decide nothing about the evidence."""


@dataclass(frozen=True)
class Mutant:
    """A verifier without one step.

    Attributes:
        name: Function and step.
        live: The function that the step is taken out of.
        code: Of the function without it.
        answers: The verifier.
    """

    name: str
    live: Any
    code: CodeType
    answers: Callable[[Path, Sequence[str]], Answer]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """The step is out; afterwards it is back."""
        function = inspect.unwrap(self.live)
        whole = function.__code__
        function.__code__ = self.code
        self._forget()
        try:
            yield
        finally:
            function.__code__ = whole
            self._forget()

    def _forget(self) -> None:
        canonical._good_keys.clear()
        for each in (self.live, event._words, event._second_us, ALONE.good_words, ALONE.is_key):
            if hasattr(each, "cache_clear"):
                each.cache_clear()


def mutants() -> list[Mutant]:
    """Of both verifiers."""
    found: list[Mutant] = []
    for module, wanted in PROGRAM.items():
        short = module.__name__.rpartition(".")[2]
        found += _mutants_of(module, short, lambda name, wanted=wanted: wanted is EVERYTHING or name in wanted, program)
    found += _mutants_of(ALONE, "alone", lambda name: name not in NOT_STEPS, alone_answers)
    return found


def program(what: Path, words: Sequence[str]) -> Answer:
    return program_answers(what, words)


def _mutants_of(
    module: ModuleType, short: str, wanted: Callable[[str], bool], answers: Callable[[Path, Sequence[str]], Answer]
) -> Iterator[Mutant]:
    tree = ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8"))
    seen: dict[str, int] = {}
    for name, node in _functions(tree):
        live = _living(module, name)
        if live is None or not wanted(name):
            continue
        for step, take_out, put_back in _steps(node):
            take_out()
            code = _compiled(module, node)
            put_back()
            title = f"{short}.{name}: {step}"
            seen[title] = seen.get(title, 0) + 1
            yield Mutant(title if seen[title] == 1 else f"{title} ({seen[title]})", live, code, answers)


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{each.name}", each) for each in node.body if isinstance(each, ast.FunctionDef))


def _living(module: ModuleType, name: str) -> Any:
    """The function itself, under whatever decorators."""
    value: Any = module
    for part in name.split("."):
        value = inspect.getattr_static(value, part)
    value = getattr(value, "fget", None) or getattr(value, "__func__", None) or value
    return value if isinstance(inspect.unwrap(value), FunctionType) else None


def _compiled(module: ModuleType, node: ast.FunctionDef) -> CodeType:
    decorators, node.decorator_list = node.decorator_list, []
    space = dict(vars(module))
    exec(compile(ast.fix_missing_locations(ast.Module([node], [])), module.__file__ or "", "exec"), space)  # noqa: S102
    node.decorator_list = decorators
    return space[node.name].__code__


Part = Callable[[bool, Callable[[str], Callable[[], Answer]]], object]
PARTS: dict[str, Part] = {
    **{name: lambda alone, _, part=part: part(alone) for name, part in units.SHARED.items()},
    "part: profile": lambda alone, _: None if alone else units.profile(),
    "part: catalogue": lambda alone, _: None if alone else units.catalogue(),
    "part: keyrings": lambda alone, _: None if alone else rings(),
    "part: not opened": lambda _, answer: units.unopened(answer("genuine")),
    "part: not unpacked": lambda alone, answer: units.unpackable(answer("pruned once")) if alone else None,
}
"""What a whole log does not show."""

Step = tuple[str, Callable[[], None], Callable[[], None]]


def _steps(function: ast.FunctionDef) -> Iterator[Step]:
    loops = {id(part) for each in ast.walk(function) if isinstance(each, ast.While) for part in ast.walk(each.test)}
    for node in ast.walk(function):
        if id(node) in loops:  # without a condition they might not end
            continue
        for field in ("body", "orelse", "finalbody"):
            statements = getattr(node, field, None)
            if isinstance(statements, list):
                yield from _statements(statements, early=node is not function)
        yield from _expressions(node, function)


def _expressions(node: ast.AST, function: ast.FunctionDef) -> Iterator[Step]:
    if isinstance(node, ast.BoolOp):
        for index, each in enumerate(node.values):
            if not isinstance(each, ast.Constant | ast.List):  # `x or 0`: a value to fall back on
                neutral = ast.Constant(isinstance(node.op, ast.And))
                yield _swapped(node.values, index, neutral, f"operand {_text(each)}")
    elif isinstance(node, ast.Compare):
        yield from _sides(node)
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        nothing = ast.Starred(ast.Tuple([], ast.Load()), ast.Load())
        for index, each in enumerate(node.value.elts):
            if isinstance(each, ast.Starred):
                yield _swapped(node.value.elts, index, nothing, _text(each))
    elif isinstance(node, ast.Return) and node.value and _is_bool(function) and not _is_yes(node.value):
        yield _replaced(node, "value", ast.Constant(True), f"answer {_text(node.value)}")


def _statements(statements: list[ast.stmt], *, early: bool) -> Iterator[Step]:
    for index, each in enumerate(statements):
        refuses = isinstance(each, ast.Raise) or (early and isinstance(each, ast.Return) and _is_no(each.value))
        if refuses or _finds(each):
            yield _swapped(statements, index, ast.Pass(), _text(each))


def _finds(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr | ast.Return) else None
    name = call.func if isinstance(call, ast.Call) else None
    if isinstance(name, ast.Attribute) and isinstance(name.value, ast.Attribute):
        return name.attr in FINDERS or name.value.attr in COLLECTED
    return (isinstance(name, ast.Attribute) and name.attr in FINDERS) or (
        isinstance(name, ast.Name) and name.id in FINDERS
    )


def _is_no(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value in {False, None})


def _is_yes(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is True


def _is_bool(function: ast.FunctionDef) -> bool:
    return isinstance(function.returns, ast.Name) and function.returns.id == "bool"


def _sides(node: ast.Compare) -> Iterator[Step]:
    if len(node.ops) == 2:
        text, (left, ops, right) = _text(node), (node.left, node.ops, node.comparators)

        def put_back() -> None:
            node.left, node.ops, node.comparators = left, ops, right

        def lower() -> None:
            node.left, node.ops, node.comparators = right[0], ops[1:], right[1:]

        def upper() -> None:
            node.ops, node.comparators = ops[:1], right[:1]

        yield f"lower end of {text}", lower, put_back
        yield f"upper end of {text}", upper, put_back
    elif isinstance(node.left, ast.Tuple) and isinstance(node.comparators[0], ast.Tuple):
        yield from _elements(node.left.elts, node.comparators[0].elts, _text(node))


def _elements(left: list[ast.expr], right: list[ast.expr], text: str) -> Iterator[Step]:
    if len(left) != len(right) or any(isinstance(each, ast.Starred) for each in (*left, *right)):
        return
    for index in range(len(left)):
        yield _pair(left, right, index, text)


def _pair(left: list[ast.expr], right: list[ast.expr], index: int, text: str) -> Step:
    both = left[index], right[index]

    def take_out() -> None:
        del left[index], right[index]

    def put_back() -> None:
        left.insert(index, both[0])
        right.insert(index, both[1])

    return f"element {index} of {text}", take_out, put_back


def _swapped(values: list[Any], index: int, other: ast.AST, text: str) -> Step:
    value = values[index]
    return text, lambda: values.__setitem__(index, other), lambda: values.__setitem__(index, value)


def _replaced(node: ast.AST, field: str, other: ast.AST, text: str) -> Step:
    value = getattr(node, field)
    return text, lambda: setattr(node, field, other), lambda: setattr(node, field, value)


def _text(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:90]


def spare() -> dict[str, str]:
    """The steps without which no case is judged otherwise, each with the reason why."""
    return json.loads(SPARE.read_text(encoding="utf-8"))


class Court:
    """Finds a case that tells a mutant from the whole verifier.

    Args:
        folder: Where cases are laid out.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cases = {case.name: case for case in CORPUS}
        self._order: dict[str, None] = dict.fromkeys([*PARTS, *self._cases])
        self.killers: dict[str, str] = json.loads(KILLERS.read_text(encoding="utf-8")) if KILLERS.exists() else {}
        self.made = cache(self._made)
        self.wanted = cache(self._wanted)

    def killer(self, mutant: Mutant) -> str | None:
        """The case whose answer changes; None when none does."""
        known = self.killers.get(mutant.name, "")
        for name in ([known] if known in self._order else []) + list(self._order):
            wanted = self.wanted(name, mutant.answers)
            with mutant.at_work():
                if self._answer(name, mutant.answers) != wanted:
                    self._order = {name: None} | self._order  # the next is likely to fall to the same
                    return name
        return None

    def _made(self, name: str) -> tuple[Path, list[str]]:
        case: Case = self._cases[name]
        folder = self._folder / str(len(list(self._folder.iterdir())))
        folder.mkdir()
        return case.make(folder)

    def _wanted(self, name: str, answers: Callable[[Path, Sequence[str]], Answer]) -> object:
        return self._answer(name, answers)

    def _answer(self, name: str, answers: Callable[[Path, Sequence[str]], Answer]) -> object:
        try:
            if name in PARTS:
                return PARTS[name](answers is alone_answers, lambda case: partial(answers, *self.made(case)))
            return answers(*self.made(name))
        except Exception as error:  # noqa: BLE001 (a mutant may fail in any way)
            return type(error)


def _rewrite() -> None:
    with tempfile.TemporaryDirectory() as folder:
        court = Court(Path(folder))
        found = {mutant.name: court.killer(mutant) for mutant in mutants()}
    told = {name: killer for name, killer in found.items() if killer}
    reasons = {name: spare().get(name, "") for name in found if name not in told}
    for path, what in ((KILLERS, told), (SPARE, reasons)):
        path.write_text(json.dumps(what, indent=0, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _rewrite()
