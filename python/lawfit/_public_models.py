"""Sizes and tokens of models that are known in public, to stand beside a plan."""

from __future__ import annotations

from lawfit._named import Named

# Name, parameters and tokens as the source rounds them, and the source.
_TABLE = (
    ("Chinchilla-70B", 70e9, 1.4e12, "Hoffmann et al. 2022, arXiv:2203.15556"),
    ("Llama-2-7B", 7e9, 2e12, "Touvron et al. 2023, arXiv:2307.09288"),
    ("Gemma-7B", 7e9, 6e12, "Gemma Team 2024, arXiv:2403.08295"),
    ("Gemma-2-9B", 9e9, 8e12, "Gemma Team 2024, arXiv:2408.00118"),
    ("LFM2.5-350M", 3.5e8, 2.8e13, "second-hand: figures that were told of its release, without a paper"),
)

PUBLIC_MODELS: Named[Named[float]] = Named({name: Named({"N": n, "D": d}) for name, n, d, _ in _TABLE})
MODEL_SOURCES: Named[str] = Named({name: source for name, _, _, source in _TABLE})
