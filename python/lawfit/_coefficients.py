"""Rows of published coefficients: name, law, values, source, how they were had, data, units, notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Row: TypeAlias = tuple[str, str, Mapping[str, float], str, str, str, str, str]

_PRINTED = "printed"
_CODE = "from the authors' code"
_DILOCO = "Charles et al. 2025, arXiv:2503.09799"
_QUOKKA = "Ni et al. 2025, arXiv:2510.03280"
_PORIAN = "Porian et al. 2024, arXiv:2406.19146"
_REPLICAS = {
    "parallel": (18.129, -0.0953), "1": (18.363, -0.0961), "2": (18.768, -0.0969), "4": (19.762, -0.0992),
    "8": (21.051, -0.1018),
}  # fmt: skip

ROWS: tuple[Row, ...] = (
    *(
        (
            f"charles2025_{count}", "diloco_size", {"A": amplitude, "alpha": exponent}, _DILOCO, _PRINTED,
            "data-parallel training" if count == "parallel" else f"models trained with {count} replicas",
            "nats per token; N in parameters", "",
        )
        for count, (amplitude, exponent) in _REPLICAS.items()
    ),
    (
        "charles2025_rate", "diloco_joint", {"A": 22256.0, "alpha": -0.8827, "beta": 0.2929}, _DILOCO, _PRINTED,
        "best rates of models trained with 1 to 8 replicas", "inner learning rate; N in parameters, M in replicas", "",
    ),
    (
        "charles2025_batch", "diloco_joint", {"A": 0.00709, "alpha": 0.4695, "beta": 0.3399}, _DILOCO, _PRINTED,
        "best batches of models trained with 1 to 8 replicas", "batch; N in parameters, M in replicas", "",
    ),
    (
        "porian2024_rate", "power", {"A": 3.7, "alpha": 0.36}, _PORIAN, _CODE, "their sweeps",
        "learning rate; x is the number of parameters", "",
    ),
    (
        "porian2024_batch", "power", {"A": 0.00037, "alpha": -0.703}, _PORIAN, _CODE, "their sweeps",
        "batch in sequences of 2,048 tokens; x is the number of parameters", "",
    ),
    (
        "ni2025_size", "power_floor", {"E": 2.413, "A": 798.6, "alpha": 0.379}, _QUOKKA, _PRINTED,
        "diffusion models", "nats per token; x is the number of parameters", "by size alone",
    ),
    (
        "ni2025_data", "power_floor", {"E": 2.413, "A": 4604.9, "alpha": 0.378}, _QUOKKA, _PRINTED,
        "diffusion models", "nats per token; x is the number of tokens", "by data alone",
    ),
    (
        "ni2025_repeated", "quokka",
        {
            "E": 0.0, "A": 1535.23, "alpha": 0.42, "B": 54.21, "beta": 0.13, "p": 1.49, "c": 254.35, "m": 0.39,
            "k": 0.55, "gamma": 0.4,
        },
        _QUOKKA, _PRINTED, "23,145 runs of diffusion models",
        "nats per token; N in parameters, D in tokens, U in unique tokens", "rounded to two digits in the exponents",
    ),
    (
        "li2025_farseer", "farseer",
        {
            "a3": -0.021, "gamma": 0.169, "b3": -0.091, "a2": 88.01, "beta": -0.1, "b2": -6.287, "a1": -0.124,
            "alpha": 0.123, "b1": 0.424,
        },
        "Li et al. 2025, arXiv:2506.10972", _PRINTED, "the runs of the paper",
        "bits per character; N in parameters, D in tokens", "rounded to three digits: rough",
    ),
)  # fmt: skip
