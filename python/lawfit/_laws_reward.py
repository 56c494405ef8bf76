"""Laws of reinforcement learning, of rewards that are pushed too far and of votes."""

from __future__ import annotations

from lawfit._law import Law

_GAO = "Gao et al. 2022, arXiv:2210.10760"

ENTRIES = (
    Law(
        "(S/X)**(K_max/(1 + N_0/N))",
        ["X", "N"],
        positive=["S", "K_max", "N_0"],
        starts={"K_max": (0.01, 0.5)},
        name="rl_math",
        title="test loss of reinforcement learning by resource and model size",
        units={"X": "compute, data or steps", "N": "parameters"},
        reference="Tan et al. 2025, arXiv:2509.25300 (the authors' code, their form invexp)",
        traps=["The paper's main form has a free level for every size, so fit each size by `power` and compare."],
    ),
    Law(
        "c + (sigma/b)**-a",
        ["sigma"],
        positive=["c", "b", "a"],
        name="q_scaled",
        title="data to reach one return by updates per sample",
        units={"sigma": "updates per sample of the environment"},
        reference="Rybkin et al. 2025, arXiv:2502.04327 (the authors' code)",
        traps=["One law for each threshold of return.", "The authors make returns monotone first."],
    ),
    Law(
        "d*(alpha - beta*d)",
        ["d"],
        name="gao_bon",
        title="true reward by distance from the first policy, best of n",
        units={"d": "square root of the KL divergence, in nats"},
        reference=_GAO,
        traps=[
            "The best distance is alpha/(2*beta): before it beta is hardly seen.",
            "Rewards are counted from d = 0.",
        ],
    ),
    Law(
        "d = sqrt(log(n) - (n - 1)/n); d*(alpha - beta*d)",
        ["n"],
        name="gao_bon_samples",
        title="true reward by number of samples, best of n",
        units={"n": "samples, of which the best by a reward model is taken"},
        reference=_GAO,
        traps=["The divergence is log(n) - (n - 1)/n, exact only where no two samples tie."],
    ),
    Law(
        "d*(alpha - beta*log(d))",
        ["d"],
        name="gao_rl",
        title="true reward by distance from the first policy, reinforcement learning",
        units={"d": "square root of the KL divergence, in nats"},
        reference=f"{_GAO}; Rafailov et al. 2024, arXiv:2406.02900, for direct alignment",
        traps=["The slope at d = 0 is infinite: leave d = 0 out.", "The best distance is exp(alpha/beta - 1)."],
    ),
    Law(
        "acc - a*rho**n",
        ["n"],
        bounds={"acc": (0, 1), "rho": (0, 1)},
        starts={"acc": (0.1, 0.9), "a": (0, 0.5), "rho": (0.3, 0.99)},
        name="vote_saturating",
        title="accuracy of a majority vote by number of votes",
        units={"n": "samples that vote"},
        reference="Wu et al. 2024, arXiv:2408.00724 (their rate of convergence, made a curve)",
        traps=["Problems differ in their rate: over a data set the approach is slower than any one rho."],
    ),
)
