"""Laws of sampling at test time: accuracy and -log pass@k by size, data and samples per problem."""

from __future__ import annotations

from lawfit._law import Law

SIZES = {"N": "parameters", "D": "tokens", "k": "samples per problem"}
ROBERTS = "Roberts et al. 2026, arXiv:2604.01411"
# Any shifted and stretched loss gives the same accuracies with another threshold and slope.
GAUGE = (
    "L is a latent loss in the gauge E = 0, theta1 = 1: from accuracies alone a loss c*L + d cannot be told from L. "
    "With a measured loss fit t2_accuracy_link through its law: lawfit.fit_chain."
)
NOT_HELD = (
    "Where every accuracy is far below theta2, theta2 and theta0 trade off and theta4 buys nothing: fix theta2 = 1."
)

# The rule for exponents looks at terms of the response; these stand in a loss inside of it.
EXPONENTS = {"alpha": (0.1, 1.2), "beta": (0.1, 1.2)}

ENTRIES = (
    # g = gamma*G in place of G: the bound of the inequality is then a bound of a parameter.
    Law(
        "E + A*N**-alpha + B*D**-beta + g/gamma*k**-gamma",
        ["N", "D", "k"],
        positive=["E", "A", "B", "gamma"],
        bounds={"g": (0, 1)},
        name="t2_loss_bounded",
        title="t2_loss that never lets two samples more than double the chance of one",
        units=SIZES,
        reference=f"{ROBERTS}, section 3.1; the bound follows from pass@k <= k*pass@1",
        traps=[
            "g is gamma*G of t2_loss. At g = 1 the data would want more than chance allows: the form is wrong there."
        ],
    ),
    Law(
        "L = E + A*N**-alpha + B*D**-beta; -log(beta_pass_at_k(exp(-L), nu, k))",
        ["N", "D", "k"],
        positive=["E", "A", "B", "nu"],
        starts=EXPONENTS,
        name="t2_beta",
        title="-log mean pass@k, problems Beta-distributed around a latent Chinchilla law",
        units=SIZES,
        reference=f"{ROBERTS}, section 3.2, with mean exp(-L) and one size nu",
        traps=["At k = 1 it is the Chinchilla law of -log pass@1; nu is held by k > 1 alone."],
    ),
    Law(
        "A*N**-alpha + B*D**-beta - log(beta_pass_at_k(m, s, k))",
        ["N", "D", "k"],
        positive=["A", "B", "s"],
        bounds={"m": (0, 1)},
        starts={"m": (0.001, 0.5), "s": (1, 100)},
        name="t2_beta_added",
        title="-log mean pass@k, size and data added to a Beta curve in k",
        units=SIZES,
        reference=f"{ROBERTS}, section 3.1, with the power of k replaced by a Beta curve",
        traps=["m is the chance of one sample at infinite size and data: what else would be E is -log(m)."],
    ),
    Law(
        "L = E + A*N**-alpha + B*D**-beta + H*N**-phi*D**psi; -log(beta_pass_at_k(exp(-L), nu, k))",
        ["N", "D", "k"],
        positive=["E", "A", "B", "H", "nu"],
        bounds={"alpha": (0, None), "beta": (0, None), "phi": (0, None), "psi": (0, None)},
        starts={**EXPONENTS, "phi": (0, 1), "psi": (0, 1), "nu": (1, 100)},
        name="t2_beta_overtrained",
        title="t2_beta whose latent loss rises again where a small model sees too many tokens",
        units=SIZES,
        reference=f"{ROBERTS}, section 3.2, with a term for overtraining",
        traps=[
            "The last term is seen at the largest D/N only, and it decides what lies beyond: do not extrapolate it."
        ],
    ),
    Law(
        "U = A*N**-alpha*D**-beta; nu = B*N**-a*D**-b; -log(beta_pass_at_k(exp(-U), nu, k))",
        ["N", "D", "k"],
        positive=["A", "B"],
        starts={"alpha": (0.02, 0.6), "beta": (0.02, 0.6), "a": (-0.5, 0.5), "b": (-0.5, 0.5)},
        name="t2_beta_product",
        title="-log mean pass@k, mean and size of the Beta each a product of powers",
        units=SIZES,
        reference=f"{ROBERTS}, section 3.2, with products in place of sums",
        traps=["A product has no best N for a budget but at its ends."],
    ),
    Law(
        "L = A*N**-alpha + B*D**-beta; mu = theta2*sigmoid(theta0 - L); nu = exp(theta3 + theta4*L); "
        "beta_pass_at_k(mu, nu, k)",
        ["N", "D", "k"],
        positive=["A", "B"],
        bounds={"theta2": (0, 1)},
        starts={**EXPONENTS, "theta2": (0.01, 1), "theta0": (0, 4), "theta3": (-1, 5), "theta4": (-0.2, 0.2)},
        name="t2_accuracy",
        title="mean pass@k by model size, data and samples, problems Beta-distributed",
        units=SIZES,
        reference=f"{ROBERTS}, section 3.2 (T2, Approach 2)",
        traps=[GAUGE, NOT_HELD],
    ),
    Law(
        "mu = theta2*sigmoid(theta1*(theta0 - L)); nu = exp(theta3 + theta4*L); beta_pass_at_k(mu, nu, k)",
        ["L", "k"],
        positive=["theta1"],
        bounds={"theta2": (0, 1)},
        starts={"theta2": (0.01, 1), "theta3": (-1, 5), "theta4": (-0.2, 0.2)},
        name="t2_accuracy_link",
        title="mean pass@k by task loss and samples, problems Beta-distributed",
        units={"L": "nats", "k": "samples per problem"},
        reference=f"{ROBERTS}, section 3.2 (T2, Approach 2, second stage)",
        traps=[NOT_HELD, "L that was fitted before brings its error along: lawfit.fit_chain carries it."],
    ),
    Law(
        "L = A*N**-alpha + B*D**-beta; pass_at_k(theta2*sigmoid(theta0 - L), k)",
        ["N", "D", "k"],
        positive=["A", "B"],
        bounds={"theta2": (0, 1)},
        starts={**EXPONENTS, "theta2": (0.01, 1), "theta0": (0, 4)},
        name="t2_naive",
        title="pass@k as if all problems were equally hard",
        units=SIZES,
        reference=f"{ROBERTS}, section 3.2 (rejected there)",
        traps=["It overestimates: 1 - (1 - p)**k is concave in p, so spread between problems lowers the mean.", GAUGE],
    ),
    Law(
        "S = E + A*N**-alpha + B*D**-beta; S*k**-(g0 + g1*log(S))",
        ["N", "D", "k"],
        positive=["E", "A", "B"],
        starts={**EXPONENTS, "g0": (0, 1), "g1": (-0.5, 0.2)},
        name="t2_sampling_exponent",
        title="-log mean pass@k, a power of k whose exponent depends on the loss at k = 1",
        units=SIZES,
        reference="Schaeffer et al. 2025, arXiv:2509.24012, with the exponents of all k in one law",
    ),
    Law(
        "exp(c + c_N*log(N) + c_D*log(D) + (g + g_N*log(N) + g_D*log(D))*log(k))",
        ["N", "D", "k"],
        name="log_linear_ndk",
        title="-log mean pass@k, log-linear in size, data and samples, with their products",
        units=SIZES,
        reference="Krajewski et al. 2025, arXiv:2512.08894, with N and D in place of C",
        traps=["It has no best N inside: allocations run to an end of the range."],
    ),
    Law(
        "exp(a + alpha*log(C) + beta*log(k) + delta*log(C)*log(k))",
        ["C", "k"],
        name="log_linear_ck",
        title="-log mean pass@k by compute and samples, log-linear with a product",
        units={"C": "FLOP", "k": "samples per problem"},
        reference="Krajewski et al. 2025, arXiv:2512.08894",
        traps=["It has no best N inside: allocations run to an end of the range."],
    ),
    Law(
        "A*N**-alpha + B*D**-beta",
        ["N", "D"],
        positive=["A", "B"],
        name="neglog_accuracy",
        title="-log accuracy by model size and data, without a floor",
        units={"N": "parameters", "D": "tokens"},
        reference="Krajewski et al. 2025, arXiv:2512.08894",
        traps=["Take chance out first: Q' = (Q - chance)/(1 - chance).", "It says that the accuracy goes to 1."],
    ),
    Law(
        "exp(-a*k**-b)",
        ["k"],
        positive=["a", "b"],
        name="coverage",
        title="share of problems solved in k samples, an exponentiated power",
        units={"k": "samples per problem"},
        reference="Brown et al. 2024, arXiv:2407.21787",
        traps=["All k share the same samples: resample problems, not rows."],
    ),
    Law(
        "A*k**-b",
        ["k"],
        positive=["A", "b"],
        name="neglog_power",
        title="-log mean pass@k by samples, one power",
        units={"k": "samples per problem"},
        reference="Schaeffer et al. 2025, arXiv:2502.17578",
        traps=["The exponent of a Beta mixture is approached slowly: at k = 100 the power is a quarter off."],
    ),
    Law(
        "beta_pass_at_k(mean, size, k)",
        ["k"],
        positive=["size"],
        bounds={"mean": (0, 1)},
        name="beta_pass",
        title="mean pass@k where problems are Beta-distributed",
        units={"k": "samples per problem"},
        reference="Kazdan et al. 2025, arXiv:2510.05197; Schaeffer et al. 2025, arXiv:2502.17578",
        traps=["Fit the counts where you have them: lawfit.fit_mixture."],
    ),
    Law(
        "exp(-c*N**-alpha)",
        ["N"],
        positive=["c"],
        name="pass_until",
        title="success rate of a task by model size",
        units={"N": "parameters"},
        reference="Hu et al. 2023, arXiv:2310.03262 (PassUntil)",
        traps=["log(-log) of the rate against log(N) must be straight: a convex line is emergence, which this is not."],
    ),
)
