"""The catalogue of laws: each an entry with its formula, units, bounds, meaning and source.

Every entry is an attribute of this module: ``lawfit.laws.chinchilla``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lawfit._law import Law
from lawfit._wording import suggest

_ENTRIES = (
    Law(
        "E + A*x**-alpha",
        ["x"],
        positive=["E", "A"],
        name="power_floor",
        title="one power law above an irreducible floor",
        units={"x": "any size: parameters, tokens or FLOP"},
        reference="Hestness et al. 2017, arXiv:1712.00409, section 3; Henighan et al. 2020, arXiv:2010.14701, eq. 1.1",
    ),
    # The papers leave the exponents unbounded, and so does this entry: a start may pass through negative ones.
    Law(
        "E + A*N**-alpha + B*D**-beta",
        ["N", "D"],
        positive=["E", "A", "B"],
        name="chinchilla",
        title="loss by model size and data, the two terms added",
        units={"N": "parameters", "D": "tokens"},
        reference="Hoffmann et al. 2022, arXiv:2203.15556, eq. 2 (Approach 3); Besiroglu et al. 2024, arXiv:2404.10102",
    ),
    # N_c and D_c are sizes at which a term alone would make the loss 1: far beyond any run, hence ranges by hand.
    Law(
        "((N_c/N)**(alpha_N/alpha_D) + D_c/D)**alpha_D",
        ["N", "D"],
        positive=["N_c", "D_c", "alpha_N", "alpha_D"],
        name="kaplan_nd",
        title="loss by model size and data, without a floor",
        units={"N": "non-embedding parameters", "D": "tokens"},
        reference="Kaplan et al. 2020, arXiv:2001.08361, eq. 1.5",
    ),
    Law(
        "E + A*N**-alpha + B*D**-beta + G*k**-gamma",
        ["N", "D", "k"],
        positive=["E", "A", "B", "G"],
        name="t2_loss",
        title="task loss, mean -log pass@k, by model size, data and samples at test time",
        units={"N": "parameters", "D": "tokens", "k": "samples per problem"},
        reference="Roberts et al. 2026, arXiv:2604.01411, section 3.1 (T2, Approach 1)",
    ),
    # The authors write A*1e9: their A is a billionth of this one.
    Law(
        "E + (A/(N*(k*log(P) + 1)))**alpha",
        ["N", "P"],
        positive=["E", "A", "k"],
        name="parscale",
        title="loss by model size and parallel streams",
        units={"N": "non-embedding parameters", "P": "parallel streams"},
        reference="Chen et al. 2025, arXiv:2505.10475 (ParScale)",
    ),
)


class Catalogue(Mapping[str, Law]):
    """Laws by name; an unknown name is answered with the names that there are."""

    __slots__ = ("_laws",)

    def __init__(self, laws: tuple[Law, ...]) -> None:
        self._laws = {law.name: law for law in laws if law.name is not None}

    def __getitem__(self, name: str) -> Law:
        """Look one up."""
        if name not in self._laws:
            raise KeyError(f"no law of the catalogue is called {name!r}; {suggest(name, self._laws)}")
        return self._laws[name]

    def __contains__(self, name: object) -> bool:
        """Tell whether there is such a name."""
        return name in self._laws

    def __iter__(self) -> Iterator[str]:
        """Go through them in order."""
        return iter(self._laws)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._laws)

    def __repr__(self) -> str:
        """Return the form for people."""
        return f"Catalogue({', '.join(self._laws)})"


CATALOGUE = Catalogue(_ENTRIES)

power_floor = CATALOGUE["power_floor"]
chinchilla = CATALOGUE["chinchilla"]
kaplan_nd = CATALOGUE["kaplan_nd"]
t2_loss = CATALOGUE["t2_loss"]
parscale = CATALOGUE["parscale"]

__all__ = ["CATALOGUE", "Catalogue", "chinchilla", "kaplan_nd", "parscale", "power_floor", "t2_loss"]


def __getattr__(name: str) -> Law:
    """Answer an unknown law with the names that there are."""
    raise AttributeError(f"lawfit.laws has no {name!r}; {suggest(name, CATALOGUE)}")
