"""Published coefficients of the laws of the catalogue, unrounded where they can be had, with where they come from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lawfit import _coefficients, laws
from lawfit._law import Law
from lawfit._named import Named
from lawfit._text import fields, number, table
from lawfit._wording import describe, suggest
from lawfit.errors import LawError

PRINTED = "printed"
TEX = "from the TeX source"
CODE = "from the authors' code"
RECOMPUTED = "recomputed here from their data"


@dataclass(frozen=True, slots=True, repr=False)
class Published:
    """Coefficients of one law as one source gives them.

    Attributes
    ----------
    name : str
        What they are called.
    law : Law
        The law of the catalogue that they are for.
    params : Named
        Values by parameter name.
    source : str
        The paper, with table or equation.
    provenance : str
        How they were had: printed, from the TeX source, from the authors' code, or recomputed here from their data.
    data : str
        What they were fitted to.
    units : str
        Units of the response and of the variables.
    notes : str
        What to know before using them.
    """

    name: str
    law: Law
    params: Named[float]
    source: str
    provenance: str
    data: str
    units: str
    notes: str

    def __repr__(self) -> str:
        """Return the form for people."""
        facts = [
            ("law", f"{self.law.name}: {self.law.text}"),
            ("params", _shown(self.params)),
            ("source", self.source),
            ("provenance", self.provenance),
            ("data", self.data),
            ("units", self.units),
            *([("notes", self.notes)] if self.notes else []),
        ]
        return "\n".join([f"Published {self.name}", *(f"  {line}" for line in fields(facts))])


def _shown(params: Mapping[str, float]) -> str:
    return ", ".join(f"{name}={number(value, 8)}" for name, value in params.items())


class Coefficients(Mapping[str, Published]):
    """Published coefficients by name; an unknown name is answered with the names that there are."""

    __slots__ = ("_entries",)

    def __init__(self, entries: tuple[Published, ...]) -> None:
        self._entries = {entry.name: entry for entry in entries}

    def __getitem__(self, name: str) -> Published:
        """Look one up."""
        if name not in self._entries:
            raise KeyError(f"no published coefficients are called {name!r}; {suggest(name, self._entries)}")
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        """Tell whether there is such a name."""
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        """Go through them in order."""
        return iter(self._entries)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._entries)

    def of(self, law: Law) -> Coefficients:
        """Return those of one law, none if there are none."""
        if not isinstance(law, Law):
            raise LawError(f"published.of: give a law, such as lawfit.laws.chinchilla, not {describe(law)}")
        return Coefficients(tuple(entry for entry in self._entries.values() if entry.law == law))

    def __repr__(self) -> str:
        """Return the form for people."""
        rows = [
            [entry.name, str(entry.law.name), _shown(entry.params), entry.provenance]
            for entry in self._entries.values()
        ]
        return "\n".join(table(["published", "law", "params", "provenance"], rows, left=4))


_LOSS_BY_SIZE = "nats per token; N in parameters, D in tokens"
_TASK_LOSS = "nats per problem; N in parameters, D in tokens, k in samples"
_HOFFMANN = "Hoffmann et al. 2022, arXiv:2203.15556, appendix D.3"
_EPOCH = "the 240 points of lowest loss digitised from figure 4 of Hoffmann et al. 2022, MassiveText"
_PORIAN = "Porian et al. 2024, arXiv:2406.19146"
_RW = "88 runs on RefinedWeb with base hyperparameters, short warm-up and a decay matched to each run"
_PARSCALE = "Chen et al. 2025, arXiv:2505.10475"
_PYTHIA = "checkpoints of Pythia from 410M parameters and 6e9 tokens on, k = 1 to 128, without cells of no success"
_PYTHIA_SOURCE = "Schaeffer et al. 2025, arXiv:2502.17578 (samples); Roberts et al. 2026, arXiv:2604.01411 (law)"
_PYTHIA_NOTES = (
    "protocol roberts2026 on -log of the mean of pass@k over problems; E is at its bound 0, and gamma*G > 1 would "
    "make pass@2 more than twice pass@1: a description of these rows, nothing to extrapolate from"
)


def _chinchilla(E: float, A: float, alpha: float, B: float, beta: float) -> Named[float]:
    return Named({"E": E, "A": A, "alpha": alpha, "B": B, "beta": beta})


def _chinchilla_of_logs(e: float, a: float, alpha: float, b: float, beta: float) -> Named[float]:
    return _chinchilla(math.exp(e), math.exp(a), alpha, math.exp(b), beta)


published = Coefficients(
    (
        Published(
            name="hoffmann2022",
            law=laws.chinchilla,
            params=_chinchilla_of_logs(e=0.5267228, a=6.0073404, alpha=0.33917084, b=6.0179186, beta=0.2849083),
            source=_HOFFMANN,
            provenance=TEX,
            data="the runs of their approaches 1 and 2, MassiveText",
            units=_LOSS_BY_SIZE,
            notes="not at the minimum of their own objective",
        ),
        Published(
            name="hoffmann2022_printed",
            law=laws.chinchilla,
            params=_chinchilla(E=1.69, A=406.4, alpha=0.34, B=410.7, beta=0.28),
            source=_HOFFMANN,
            provenance=PRINTED,
            data="the runs of their approaches 1 and 2, MassiveText",
            units=_LOSS_BY_SIZE,
            notes="exponents rounded to two digits move the predicted loss: prefer hoffmann2022",
        ),
        Published(
            name="besiroglu2024",
            law=laws.chinchilla,
            params=_chinchilla(E=1.8172, A=482.01, alpha=0.3478, B=2085.43, beta=0.3658),
            source="Besiroglu et al. 2024, arXiv:2404.10102, table 1",
            provenance=PRINTED,
            data=_EPOCH,
            units=_LOSS_BY_SIZE,
            notes="in the last digits of E and beta not at the minimum of their likelihood, besiroglu2024_lad",
        ),
        Published(
            name="besiroglu2024_lad",
            law=laws.chinchilla,
            params=_chinchilla(
                E=1.816864039646, A=482.0057174103, alpha=0.3478130290395, B=2085.434200580, beta=0.3658541172945
            ),
            source="Besiroglu et al. 2024, arXiv:2404.10102",
            provenance=RECOMPUTED,
            data=_EPOCH,
            units=_LOSS_BY_SIZE,
            notes="protocol besiroglu2024: minimum of their likelihood, in effect of absolute log residuals",
        ),
        Published(
            name="besiroglu2024_huber",
            law=laws.chinchilla,
            params=_chinchilla(
                E=1.8172180989977, A=477.8258681124, alpha=0.3473104988664, B=2143.4173636835, beta=0.3671724326354
            ),
            source="Besiroglu et al. 2024, arXiv:2404.10102",
            provenance=RECOMPUTED,
            data=_EPOCH,
            units=_LOSS_BY_SIZE,
            notes="protocol hoffmann2022, Huber's loss at 1e-3: what their intervals are of",
        ),
        Published(
            name="muennighoff2023_base",
            law=laws.chinchilla,
            params=_chinchilla_of_logs(e=0.6254804, a=6.255414, alpha=0.3526596, b=7.3049974, beta=0.3526596),
            source="Muennighoff et al. 2023, arXiv:2305.16264",
            provenance=CODE,
            data="54 isoFLOP runs on C4, each token seen once",
            units=_LOSS_BY_SIZE,
            notes="alpha and beta held equal; the base of their law for repeated data",
        ),
        Published(
            name="muennighoff2023_untied",
            law=laws.chinchilla,
            params=_chinchilla_of_logs(e=0.6303, a=5.9577, alpha=0.3348, b=7.9145, beta=0.3829),
            source="Muennighoff et al. 2023, arXiv:2305.16264",
            provenance=CODE,
            data="54 isoFLOP runs on C4, each token seen once",
            units=_LOSS_BY_SIZE,
            notes="alpha and beta free; logarithms of the amplitudes are rounded to four digits",
        ),
        Published(
            name="porian2024_squared",
            law=laws.chinchilla,
            params=_chinchilla(
                E=2.597880631560, A=4018.921669908, alpha=0.5034605445306, B=26466.36870213, beta=0.5067906657371
            ),
            source=_PORIAN,
            provenance=RECOMPUTED,
            data=_RW,
            units=_LOSS_BY_SIZE,
            notes="least squares of the loss itself; the paper fits no such law",
        ),
        Published(
            name="porian2024_huber",
            law=laws.chinchilla,
            params=_chinchilla(
                E=2.529006332198, A=757.9883070329, alpha=0.3912520738384, B=58366.37831808, beta=0.5533835563204
            ),
            source=_PORIAN,
            provenance=RECOMPUTED,
            data=_RW,
            units=_LOSS_BY_SIZE,
            notes="Huber's loss at 1e-3 on log residuals; the paper fits no such law",
        ),
        Published(
            name="porian2024_frontier",
            law=laws.power_floor,
            params=Named({"E": 2.53793209654, "A": 12284.4083751, "alpha": 0.227283140855}),
            source=_PORIAN,
            provenance=RECOMPUTED,
            data=f"lowest loss at each of 12 budgets, of {_RW}",
            units="nats per token; x is training compute in FLOP",
            notes="protocol porian2024, on measured instead of interpolated minima and all budgets",
        ),
        Published(
            name="kaplan2020",
            law=laws.kaplan_nd,
            params=Named({"N_c": 6.4e13, "alpha_N": 0.076, "alpha_D": 0.103, "D_c": 1.8e13}),
            source="Kaplan et al. 2020, arXiv:2001.08361, table 2",
            provenance=PRINTED,
            data="transformers of up to 1.5e9 non-embedding parameters on WebText2",
            units="nats per token; N in non-embedding parameters, D in tokens",
            notes="N_c and D_c depend on the vocabulary and have no meaning of their own",
        ),
        Published(
            name="pythia_gsm8k",
            law=laws.t2_loss,
            params=Named({
                "E": 0.0, "A": 1.4083316795417e13, "alpha": 1.599043944225, "B": 7.21905558944e11,
                "beta": 1.183488117161, "G": 4.737076526392, "gamma": 0.350779565875,
            }),
            source=_PYTHIA_SOURCE,
            provenance=RECOMPUTED,
            data=f"GSM8K, {_PYTHIA}",
            units=_TASK_LOSS,
            notes=_PYTHIA_NOTES,
        ),
        Published(
            name="pythia_math",
            law=laws.t2_loss,
            params=Named({
                "E": 0.0, "A": 4.32737689035e11, "alpha": 1.334683092916, "B": 1.85656479641e26,
                "beta": 2.626497489607, "G": 5.614027337434, "gamma": 0.285018022247,
            }),
            source=_PYTHIA_SOURCE,
            provenance=RECOMPUTED,
            data=f"MATH, {_PYTHIA}",
            units=_TASK_LOSS,
            notes=_PYTHIA_NOTES,
        ),
        Published(
            name="chen2025_stack",
            law=laws.parscale,
            params=Named({"E": 0.69124, "A": 1.1306e7, "k": 0.39346, "alpha": 0.18937}),
            source=_PARSCALE,
            provenance=CODE,
            data="24 models on Stack-V2 (Python), 1 to 8 streams",
            units="nats per token; N in non-embedding parameters, P in streams",
            notes="a little short of the minimum: E=.691207, A=1.130707e7, k=.3934568, alpha=.1893583",
        ),
        Published(
            name="chen2025_pile",
            law=laws.parscale,
            params=Named({"E": 1.28877, "A": 1.97352e8, "k": 0.33446, "alpha": 0.19633}),
            source=_PARSCALE,
            provenance=CODE,
            data="24 models on the Pile, 1 to 8 streams",
            units="nats per token; N in non-embedding parameters, P in streams",
            notes="a little short of the minimum: E=1.288588, A=1.975166e8, k=.3344424, alpha=.1962815",
        ),
        Published(
            name="muennighoff2023",
            law=laws.muennighoff,
            params=Named({
                **_chinchilla_of_logs(e=0.6254804, a=6.255414, alpha=0.3526596, b=7.3049974, beta=0.3526596),
                "R_D": 15.387756, "R_N": 5.309743,
            }),
            source="Muennighoff et al. 2023, arXiv:2305.16264",
            provenance=CODE,
            data="182 runs on C4, the base law held from the 54 without repetition",
            units="nats per token; N in parameters, D in tokens, U in unique tokens",
            notes="alpha and beta held equal",
        ),
        Published(
            name="clark2022_sbase",
            law=laws.clark_moe,
            params=Named({"a": -0.082, "b": -0.108, "c": 0.009, "d": 1.104, "E_start": 1.847, "E_max": 314.478}),
            source="Clark et al. 2022, arXiv:2202.01169",
            provenance=CODE,
            data="routed models of up to 512 experts",
            units="nats per token; N in parameters of the dense model, n_experts in experts",
            notes="",
        ),
        Published(
            name="clark2022_rlr",
            law=laws.clark_moe,
            params=Named({"a": -0.083, "b": -0.126, "c": 0.012, "d": 1.111, "E_start": 1.88, "E_max": 469.982}),
            source="Clark et al. 2022, arXiv:2202.01169",
            provenance=CODE,
            data="routed models of up to 512 experts",
            units="nats per token; N in parameters of the dense model, n_experts in experts",
            notes="",
        ),
        Published(
            name="clark2022_hash",
            law=laws.clark_moe,
            params=Named({"a": -0.087, "b": -0.136, "c": 0.012, "d": 1.157, "E_start": 4.175, "E_max": 477.741}),
            source="Clark et al. 2022, arXiv:2202.01169",
            provenance=CODE,
            data="routed models of up to 512 experts",
            units="nats per token; N in parameters of the dense model, n_experts in experts",
            notes="",
        ),
        Published(
            name="charles2025_loss",
            law=laws.diloco_joint,
            params=Named({"A": 19.226, "alpha": -0.0985, "beta": 0.0116}),
            source="Charles et al. 2025, arXiv:2503.09799",
            provenance=PRINTED,
            data="models trained with 1 to 8 replicas",
            units="nats per token; N in parameters, M in replicas",
            notes="",
        ),
        Published(
            name="li2025_rate",
            law=laws.step_law_rate,
            params=Named({"c": 1.797, "a": -0.7129, "b": 0.3075}),
            source="Li et al. 2025, arXiv:2503.04715",
            provenance=CODE,
            data="means of the authors' 1,000 bootstrap rows",
            units="learning rate; N in non-embedding parameters, D in tokens",
            notes="a refit of their public runs gives other numbers",
        ),
        Published(
            name="li2025_batch",
            law=laws.step_law_batch,
            params=Named({"c": 0.5807, "b": 0.5709}),
            source="Li et al. 2025, arXiv:2503.04715",
            provenance=CODE,
            data="means of the authors' 1,000 bootstrap rows",
            units="batch in tokens; D in tokens",
            notes="a refit of their public runs gives other numbers",
        ),
        *(
            Published(name, laws.CATALOGUE[law], Named(params), source, provenance, data, units, notes)
            for name, law, params, source, provenance, data, units, notes in _coefficients.ROWS
        ),
    )
)  # fmt: skip
