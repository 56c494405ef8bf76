"""Formulas as LaTeX: exact for several, balanced for all."""

from __future__ import annotations

import pytest

import lawfit as lf


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("E + A*N**-alpha", r"E + A \, N^{-\alpha}"),
        ("(N_c/N)**(alpha_N/2)", r"\left(\frac{N_{c}}{N}\right)^{\frac{\alpha_{N}}{2}}"),
        ("a - (b - c)", r"a - \left(b - c\right)"),
        ("a*(b + c)", r"a \, \left(b + c\right)"),
        ("exp(-k*(L - L0))", r"\exp\left(-k \, \left(L - L_{0}\right)\right)"),
        ("D_eff = 2*D; sqrt(D_eff)", r"D_{\mathrm{eff}} = 2 \, D \\ \sqrt{D_{\mathrm{eff}}}"),
        ("pass_at_k(p, k)", r"\left[1 - \left(1 - p\right)^{k}\right]"),
        (
            "beta_pass_at_k(m, nu, k)",
            r"\left[1 - \frac{\mathrm{B}\left(m \, \nu, \left(1 - m\right) \, \nu + k\right)}"
            r"{\mathrm{B}\left(m \, \nu, \left(1 - m\right) \, \nu\right)}\right]",
        ),
        ("binomial_deviance(s, n, p)", r"\tfrac{1}{2} D_{\mathrm{Bin}}\left(s \mid n, p\right)"),
        (
            "beta_binomial_deviance(s, n, p, nu)",
            r"\tfrac{1}{2} D_{\mathrm{BetaBin}}\left(s \mid n, p \, \nu, \left(1 - p\right) \, \nu\right)",
        ),
        ("A*`eval loss_c4`", r"A \, \mathrm{eval loss\_c4}"),
    ],
)
def test_a_formula_is_written_in_latex(text: str, latex: str) -> None:
    assert lf.Law(text).to_latex() == latex


@pytest.mark.parametrize("name", list(lf.laws.CATALOGUE))
def test_latex_of_every_catalogue_entry_is_balanced(name: str) -> None:
    latex = lf.laws.CATALOGUE[name].to_latex()
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left(") == latex.count(r"\right)") == latex.count("(") == latex.count(")")
    assert "**" not in latex
    assert r"\mathtt" not in latex
