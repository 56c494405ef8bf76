"""Laws of data that repeat, of fine-tuning and of a teacher."""

from __future__ import annotations

from lawfit._law import Law

ENTRIES = (
    # max(1e-9, ...) in place of the authors' max(0, ...): the power has a derivative by its exponent there too.
    Law(
        "epochs = D/U; e_p = c*U**m*N**-k; "
        "D_eff = U*epochs**p*exp(-(max(epochs - 1, 1e-9)/e_p)**gamma); E + A*N**-alpha + B*D_eff**-beta",
        ["N", "D", "U"],
        positive=["E", "A", "B", "c", "gamma"],
        starts={"c": (10, 1000), "m": (0.1, 0.6), "k": (0.1, 0.8), "p": (0.5, 2), "gamma": (0.2, 1)},
        name="quokka",
        title="loss of a diffusion model by size and repeated data, with overfitting",
        units={"N": "parameters", "D": "tokens seen", "U": "unique tokens, at most D"},
        reference="Ni et al. 2025, arXiv:2510.03280 (Quokka)",
        traps=["c, m and k are told apart only where U and N vary widely.", "The authors find E near 0."],
    ),
    Law(
        "D_eff = where(D <= U, D, U*(1 + (1 - exp(-r*(D/U - 1)))/r)); E + A*N**-alpha + B*D_eff**-beta",
        ["N", "D", "U"],
        positive=["E", "A", "B", "r"],
        starts={"r": (0.01, 1)},
        name="atlas_repeated",
        title="loss of one language by model size and its repeated data",
        units={"N": "parameters", "D": "tokens seen", "U": "unique tokens"},
        reference="Longpre et al. 2025, arXiv:2510.22037 (ATLAS, without transfer from other languages)",
        traps=["Without runs of several epochs r is not held.", "It cannot rise with repetition."],
    ),
    Law(
        "E + (A - E)/(1 + b*D**beta)",
        ["D"],
        positive=["E", "A", "b", "beta"],
        name="rectified_sft",
        title="loss after fine-tuning by data, flat before its power law",
        units={"D": "examples of fine-tuning"},
        reference="Lin et al. 2024, arXiv:2402.02314 (the authors' code)",
        traps=["A is the loss without fine-tuning: put it into the data, or hold it.", "E is seen only far out."],
    ),
    Law(
        "(1/(B*D**beta) + E)**alpha",
        ["D"],
        positive=["B", "E", "beta", "alpha"],
        name="sft_power",
        title="loss after fine-tuning by data, a power of a power law above a floor",
        units={"D": "examples of fine-tuning"},
        reference="Lin et al. 2024, arXiv:2402.02314 (the authors' code, their vanilla law)",
        traps=["alpha trades against beta and E over a short range."],
    ),
    Law(
        "L_T + L_T**-c0*(1 + (L_T/(L_S*d1))**(1/f1))**(-c1*f1)*(A*N**-alpha + B*D**-beta)**gamma",
        ["L_T", "L_S", "N", "D"],
        positive=["A", "B", "d1", "f1", "gamma"],
        starts={"c0": (0, 4), "c1": (0, 20), "d1": (0.5, 2), "f1": (0.05, 1), "gamma": (0.3, 1.5)},
        name="distillation",
        title="loss of a distilled student by its teacher, size and data",
        units={
            "L_T": "teacher, nats per token", "L_S": "the student trained without teacher, nats per token",
            "N": "parameters of the student", "D": "tokens of distillation",
        },
        reference="Busbridge et al. 2025, arXiv:2502.08606; the formula as in the authors' code",
        traps=[
            "L_S is itself a law, chinchilla_gamma, fitted to runs without teacher first.",
            "c1, d1 and f1 are held only by teachers on both sides of the student's own loss.",
        ],
    ),
)  # fmt: skip
