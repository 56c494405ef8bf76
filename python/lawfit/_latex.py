"""The formula of a law as LaTeX."""

from __future__ import annotations

import ast

# fmt: off
_GREEK = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda",
    "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega",
})
# fmt: on
_NAMED = {"exp": r"\exp", "log": r"\ln", "min": r"\min", "max": r"\max", "tanh": r"\tanh"}
_DEVIANCES = {"binomial_deviance": "Bin", "beta_binomial_deviance": "BetaBin"}
_ESCAPED = {letter: f"\\{letter}" for letter in "_%&#${}"}
_IN_FORMULAS = {**_ESCAPED, "\\": r"\backslash ", "^": r"\wedge ", "~": r"\sim "}
# Without the encoding T1 the last three are other letters.
_IN_TEXT = {
    **_ESCAPED, "\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
}  # fmt: skip
_SUM, _PRODUCT, _UNARY, _POWER, _ATOM = range(5)
_OPERATORS: dict[type[ast.operator], tuple[str, int]] = {
    ast.Add: (" + ", _SUM),
    ast.Sub: (" - ", _SUM),
    ast.Mult: (r" \, ", _PRODUCT),
}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: r"\le", ast.Gt: ">", ast.GtE: r"\ge", ast.Eq: "=", ast.NotEq: r"\ne",
}  # fmt: skip


def formula(text: str) -> str:
    """Return a formula of the law language as LaTeX for mathematics mode; bindings come first, each a line."""
    *bindings, value = (part.strip() for part in text.split(";"))
    lines = []
    for binding in bindings:
        name, _, bound = binding.partition("=")
        lines.append(f"{symbol(name.strip())} = {_expression(bound)}")
    return r" \\ ".join([*lines, _expression(value)])


def symbol(name: str) -> str:
    """Return a name as LaTeX: Greek letters by name, what follows the first underscore or a digit as an index."""
    if not name.strip("`").isidentifier():
        return rf"\mathrm{{{_escaped(name.strip('`'))}}}"
    head, _, index = name.strip("`").partition("_")
    letters = head.rstrip("0123456789")
    if letters != head and letters:
        index = ", ".join(part for part in (head[len(letters) :], index) if part)
        head = letters
    shown = f"\\{head}" if head in _GREEK else head if len(head) == 1 else rf"\mathrm{{{head}}}"
    return f"{shown}_{{{_index(index)}}}" if index else shown


def _index(text: str) -> str:
    plain = text.replace("_", r"\_")
    return f"\\{text}" if text in _GREEK else text if len(text) == 1 or text.isdigit() else rf"\mathrm{{{plain}}}"


def _expression(text: str) -> str:
    # Names in back quotes are any text, which Python's grammar does not know: each stands as a name of its own.
    pieces = text.split("`")
    quoted = {f"quoted{place}": piece for place, piece in enumerate(pieces) if place % 2}
    plain = "".join(f"quoted{place}" if place % 2 else piece for place, piece in enumerate(pieces))
    return _write(ast.parse(plain.strip(), mode="eval").body, quoted)[0]


def _write(node: ast.expr, quoted: dict[str, str]) -> tuple[str, int]:
    """Return LaTeX and how tightly it binds."""
    if isinstance(node, ast.Name):
        if node.id in quoted:
            return rf"\mathrm{{{_escaped(quoted[node.id])}}}", _ATOM
        return symbol(node.id), _ATOM
    if isinstance(node, ast.Constant):
        return repr(node.value), _ATOM
    if isinstance(node, ast.UnaryOp):
        return f"-{_inside(node.operand, _UNARY, quoted)}", _UNARY
    if isinstance(node, ast.Call):
        return _call(node, quoted), _ATOM
    if isinstance(node, ast.Compare) and all(type(sign) in _COMPARISONS for sign in node.ops):
        return _comparison(node, quoted), _SUM
    return _operation(node, quoted)


def _comparison(node: ast.Compare, quoted: dict[str, str]) -> str:
    sides = [_write(side, quoted)[0] for side in (node.left, *node.comparators)]
    signs = [_COMPARISONS[type(sign)] for sign in node.ops]
    return " ".join([sides[0], *(f"{sign} {side}" for sign, side in zip(signs, sides[1:], strict=True))])


def _operation(node: ast.expr, quoted: dict[str, str]) -> tuple[str, int]:
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Pow):
            return f"{_inside(node.left, _ATOM, quoted)}^{{{_write(node.right, quoted)[0]}}}", _POWER
        if isinstance(node.op, ast.Div):
            over, under = _write(node.left, quoted)[0], _write(node.right, quoted)[0]
            return rf"\frac{{{over}}}{{{under}}}", _POWER
        if type(node.op) in _OPERATORS:
            sign, rank = _OPERATORS[type(node.op)]
            right = rank if isinstance(node.op, ast.Add) else rank + 1
            return f"{_inside(node.left, rank, quoted)}{sign}{_inside(node.right, right, quoted)}", rank
    return rf"\mathtt{{{_escaped(ast.unparse(node))}}}", _ATOM


def _call(node: ast.Call, quoted: dict[str, str]) -> str:
    name = ast.unparse(node.func)
    parts = [_write(argument, quoted)[0] for argument in node.args]
    inner = ", ".join(parts)
    if name == "sqrt":
        return rf"\sqrt{{{inner}}}"
    if name in ("log10", "log2"):
        return rf"\log_{{{name[3:]}}}\left({inner}\right)"
    if name == "where" and len(parts) == 3:
        condition, value, other = parts
        return rf"\begin{{cases}} {value} & {condition} \\ {other} & \text{{otherwise}} \end{{cases}}"
    if name == "pass_at_k" and len(node.args) == 2:
        return rf"\left[1 - \left(1 - {_inside(node.args[0], _PRODUCT, quoted)}\right)^{{{parts[1]}}}\right]"
    if name == "beta_pass_at_k" and len(node.args) == 3:
        a, b = _shapes(node.args[0], node.args[1], quoted)
        over = rf"\mathrm{{B}}\left({a}, {b} + {parts[2]}\right)"
        return rf"\left[1 - \frac{{{over}}}{{\mathrm{{B}}\left({a}, {b}\right)}}\right]"
    if name in _DEVIANCES and len(node.args) > 2:
        given = parts[2] if len(node.args) == 3 else ", ".join(_shapes(node.args[2], node.args[3], quoted))
        return rf"\tfrac{{1}}{{2}} D_{{\mathrm{{{_DEVIANCES[name]}}}}}\left({parts[0]} \mid {parts[1]}, {given}\right)"
    written = _NAMED.get(name) or rf"\operatorname{{{_escaped(name)}}}"
    return rf"{written}\left({inner}\right)"


def _shapes(mean: ast.expr, size: ast.expr, quoted: dict[str, str]) -> tuple[str, str]:
    """Return the two shapes of a Beta distribution of a mean and a size."""
    times = _inside(size, _PRODUCT, quoted)
    a = _inside(mean, _PRODUCT, quoted)
    return rf"{a} \, {times}", rf"\left(1 - {a}\right) \, {times}"


def _inside(node: ast.expr, rank: int, quoted: dict[str, str]) -> str:
    text, own = _write(node, quoted)
    return text if own >= rank else rf"\left({text}\right)"


def name_or_formula(text: str) -> str:
    """Return a column's name, or a formula over columns, as LaTeX for mathematics mode; any other text upright."""
    if text.isidentifier():
        return symbol(text)
    return rf"\mathrm{{{_escaped(text)}}}"


def escape(text: object) -> str:
    """Return a text as LaTeX for a paragraph or a cell."""
    return "".join(_IN_TEXT.get(letter, letter) for letter in str(text))


def _escaped(text: str) -> str:
    return "".join(_IN_FORMULAS.get(letter, letter) for letter in text)
