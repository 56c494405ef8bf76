"""Laws of pretraining loss: by size, data, compute, shape and languages."""

from __future__ import annotations

from lawfit._law import Law

ENTRIES = (
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
        traps=["E and G are told apart by the range of k alone."],
        checks={
            "gamma*G <= 1": "gamma*G exceeds 1: near k = 1 two samples would more than double the chance of one, which "
            "no set of problems allows; the power of k is the wrong form here: compare t2_beta, or hold it with "
            "t2_loss_bounded"
        },
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
    # Nothing holds the floor or the shift where the range of x is short.
    Law(
        "E + A*(x + B)**-alpha",
        ["x"],
        positive=["E", "A", "B", "alpha"],
        name="power_shift_floor",
        title="one power law above a floor, shifted along its variable",
        units={"x": "any size: parameters, samples or FLOP"},
        reference="Nezhurina et al. 2025, arXiv:2506.04598 (the authors' code)",
        traps=["B is seen only in the smallest runs, and E only in the largest."],
    ),
    Law(
        "E + A*N**-alpha + B*D**-alpha",
        ["N", "D"],
        positive=["E", "A", "B"],
        name="chinchilla_tied",
        title="loss by model size and data with one exponent for both",
        units={"N": "parameters", "D": "tokens"},
        reference="Muennighoff et al. 2023, arXiv:2305.16264 (the authors' code)",
        traps=["The best ratio of tokens to parameters then never changes with compute: an assumption, not a finding."],
    ),
    Law(
        "E + (a*M**eta + b*M**-eta)*C**-eta",
        ["C", "M"],
        positive=["E", "a", "b"],
        name="gadre_overtrain",
        title="loss by compute and tokens per parameter",
        units={"C": "training FLOP, 6*N*D", "M": "tokens per parameter"},
        reference="Gadre et al. 2024, arXiv:2403.08540",
        traps=["It is chinchilla_tied with alpha = 2*eta where C = 6*N*D, and nothing else."],
    ),
    Law(
        "E + (A*N**-alpha + B*D**-beta)**gamma",
        ["N", "D"],
        positive=["E", "A", "B", "gamma"],
        name="chinchilla_gamma",
        title="loss by model size and data that act on each other",
        units={"N": "parameters", "D": "tokens"},
        reference="Busbridge et al. 2025, arXiv:2502.08606; the formula from the code of arXiv:2510.02228 (xLSTM)",
        traps=["Only runs that vary N and D against each other tell gamma from the exponents."],
    ),
    Law(
        "E + A*w**-alpha + B*l**-beta + G*D**-gamma",
        ["w", "l", "D"],
        positive=["E", "A", "B", "G"],
        name="gemstones",
        title="loss by width, depth and data",
        units={"w": "hidden size", "l": "layers", "D": "tokens"},
        reference="McLeish et al. 2025, arXiv:2502.06857 (Gemstones; the authors' code)",
        traps=["Its best shape has no closed form: it depends on how FLOP are counted."],
    ),
    Law(
        "E + A*K**phi*N**-alpha + B*K**psi*D**-beta",
        ["K", "N", "D"],
        positive=["E", "A", "B"],
        name="atlas_languages",
        title="loss of one language by number of languages, model size and its data",
        units={"K": "languages", "N": "parameters", "D": "tokens of the language"},
        reference="Longpre et al. 2025, arXiv:2510.22037 (ATLAS)",
        traps=["D counts the tokens of the language that is tested, not of all together."],
    ),
    Law(
        "G = (alpha*A/(beta*B))**(1/(alpha + beta)); U_N = min(N, (U*G)**(beta/alpha)*G); "
        "N_eff = U_N + U_N*R_N*(1 - exp(-(N/U_N - 1)/R_N)); D_eff = U + U*R_D*(1 - exp(-(D/U - 1)/R_D)); "
        "E + A*N_eff**-alpha + B*D_eff**-beta",
        ["N", "D", "U"],
        positive=["E", "A", "B", "alpha", "beta", "R_N", "R_D"],
        name="muennighoff",
        title="loss by model size and repeated data",
        units={"N": "parameters", "D": "tokens seen", "U": "unique tokens, at most D"},
        reference="Muennighoff et al. 2023, arXiv:2305.16264 (the authors' code)",
        traps=[
            "D below U has no meaning in it.",
            "It cannot rise with repetition: overfitting is beyond it.",
            "The authors fit E, A, B and the exponents on runs without repetition first, and R_N and R_D after.",
        ],
    ),
    Law(
        "E_hat = 1/(1/(n_experts - 1 + 1/(1/E_start - 1/E_max)) + 1/E_max); "
        "10**(a*log10(N) + b*log10(E_hat) + c*log10(N)*log10(E_hat) + d)",
        ["N", "n_experts"],
        positive=["E_start", "E_max"],
        starts={"a": (-0.2, 0), "b": (-0.3, 0), "c": (0, 0.03), "d": (0.5, 2), "E_start": (1, 5), "E_max": (100, 1000)},
        name="clark_moe",
        title="loss of routed models by dense size and experts",
        units={"N": "parameters of the dense model", "n_experts": "experts"},
        reference="Clark et al. 2022, arXiv:2202.01169 (the authors' code)",
        traps=["It has no floor and no data: all runs see the same tokens.", "E_max is seen only with many experts."],
    ),
    Law(
        "(E + A*N**-alpha + B*D**-alpha)*(1 + gamma*R**alpha)",
        ["N", "D", "R"],
        positive=["E", "A", "B", "gamma"],
        name="morph_shape",
        title="loss by model size, data and ratio of width to depth",
        units={"N": "parameters", "D": "tokens", "R": "hidden size per layer"},
        reference="Bian et al. 2025, arXiv:2501.18107 (Morph; the authors' code)",
        traps=["One exponent for all three: as in the code."],
    ),
)
