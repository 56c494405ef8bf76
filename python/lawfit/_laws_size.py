"""Further laws of loss by size: plain powers, shape, embeddings, breaks and exponents that move."""

from __future__ import annotations

from lawfit._law import Law

ENTRIES = (
    Law(
        "A*x**-alpha",
        ["x"],
        positive=["A"],
        name="power",
        title="one power law without a floor",
        units={"x": "any size: parameters, tokens or FLOP"},
        reference="Kaplan et al. 2020, arXiv:2001.08361, section 1.2",
        traps=[
            "Where there is a floor, alpha falls as the range grows: compare power_floor.",
            "It serves best sizes and rates too: alpha is negative where the response grows.",
        ],
    ),
    Law(
        "A*N**-alpha*D**-beta",
        ["N", "D"],
        positive=["A"],
        name="power_product",
        title="loss by model size and data, the two powers multiplied",
        units={"N": "parameters", "D": "tokens"},
        reference="Choshen et al. 2024, arXiv:2410.11840 (the authors' code)",
        traps=["The authors write E*A*B in place of A: three amplitudes that no data tell apart."],
    ),
    Law(
        "E + ((A/N)**(alpha/beta) + B/D)**beta",
        ["N", "D"],
        positive=["E", "A", "B", "alpha", "beta"],
        name="kaplan_nd_floor",
        title="kaplan_nd above a floor",
        units={"N": "parameters", "D": "tokens"},
        reference="Brandfonbrener et al. 2024, arXiv:2411.12925; Mayilvahanan et al. 2025, arXiv:2502.12120 "
        "(the authors' code)",
        traps=["A and B are sizes: with a short range they run off together with the exponents."],
    ),
    Law(
        "E + A*w**-alpha + B*l**-beta + G*D**-gamma + H*N**-eta",
        ["w", "l", "D", "N"],
        positive=["E", "A", "B", "G", "H"],
        name="gemstones_size",
        title="loss by width, depth, data and model size",
        units={"w": "hidden size", "l": "layers", "D": "tokens", "N": "parameters"},
        reference="McLeish et al. 2025, arXiv:2502.06857 (Gemstones; the authors' code)",
        traps=["N is nearly a product of powers of w and l, so its term is told apart by small models alone."],
    ),
    Law(
        "M = N + gamma*N**(1/3); E + A*M**-alpha + B*D**-beta",
        ["N", "D"],
        positive=["E", "A", "B", "gamma"],
        starts={"gamma": (1e4, 1e5)},
        name="pearce_song_loss",
        title="chinchilla by non-embedding parameters",
        units={"N": "non-embedding parameters", "D": "tokens"},
        reference="Pearce & Song 2024, arXiv:2406.12907 (the authors' code)",
        traps=["gamma is seen in the smallest models only; the authors hold it at 47491."],
    ),
    Law(
        "6*N*(N + gamma*N**(1/3)/3)**(-1/beta)*(N + gamma*N**(1/3))**((1 + alpha)/beta)*(beta*r/alpha)**(1/beta)",
        ["N"],
        positive=["alpha", "beta", "gamma", "r"],
        starts={"alpha": (0.2, 0.6), "beta": (0.2, 0.6), "gamma": (1e4, 1e5), "r": (0.1, 10)},
        name="pearce_song_compute",
        title="compute for which a model of this size is best",
        units={"N": "non-embedding parameters"},
        reference="Pearce & Song 2024, arXiv:2406.12907 (the authors' code)",
        traps=["r is B/A of pearce_song_loss.", "Meant to be evaluated: one curve does not hold four parameters."],
    ),
    Law(
        "exp(a3*N**gamma + b3) + exp(a2*N**beta + b2)*D**-exp(a1*N**alpha + b1)",
        ["N", "D"],
        starts={
            "a1": (-0.3, 0), "alpha": (0.05, 0.3), "b1": (-0.5, 1), "a2": (20, 150), "beta": (-0.3, -0.05),
            "b2": (-10, 0), "a3": (-0.1, 0), "gamma": (0.05, 0.3), "b3": (-1, 1),
        },
        name="farseer",
        title="loss by model size and data, the exponent of data moving with size",
        units={"N": "parameters", "D": "tokens"},
        reference="Li et al. 2025, arXiv:2506.10972 (Farseer)",
        traps=[
            "Nine parameters: many sizes, each with many amounts of data.",
            "Printed coefficients are rounded and exponentiated twice: the loss by them is rough.",
        ],
    ),
    Law(
        "a + b*x**-c0*(1 + (x/d1)**(1/f1))**(-c1*f1)",
        ["x"],
        positive=["b", "d1", "f1"],
        name="bnsl",
        title="a power law with one smooth break",
        units={"x": "any size: parameters, samples or FLOP"},
        reference="Caballero et al. 2022, arXiv:2210.14891 (the authors' code)",
        traps=[
            "A break beyond the data is not held by them, and what lies beyond a break is unseen from before it.",
            "f1 near 0 is a sharp break: only points next to d1 see it.",
        ],
    ),
    Law(
        "L_opt + c*log(N/N_opt)**2",
        ["N"],
        positive=["c", "N_opt"],
        name="isoflop_parabola",
        title="loss by model size at one budget",
        units={"N": "parameters"},
        reference="Hoffmann et al. 2022, arXiv:2203.15556, section 3.2 (Approach 2)",
        traps=["Exact next to the best size only: wide grids that are off centre bias N_opt."],
    ),
)  # fmt: skip
