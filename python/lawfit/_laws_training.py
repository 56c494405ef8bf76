"""Laws of how to train: learning rate, batch, replicas and steps."""

from __future__ import annotations

from lawfit._law import Law

ENTRIES = (
    Law(
        "c*N**a*D**b",
        ["N", "D"],
        positive=["c"],
        name="step_law_rate",
        title="best learning rate by model size and data",
        units={"N": "non-embedding parameters", "D": "tokens"},
        reference="Li et al. 2025, arXiv:2503.04715 (Step Law)",
        traps=["Runs of few sizes leave c and the exponents almost interchangeable."],
    ),
    Law(
        "c*D**b",
        ["D"],
        positive=["c"],
        name="step_law_batch",
        title="best batch size, in tokens, by data",
        units={"D": "tokens"},
        reference="Li et al. 2025, arXiv:2503.04715 (Step Law)",
        traps=["The batch is counted in tokens, not in sequences.", "c and b are almost interchangeable (-0.999)."],
    ),
    Law(
        "A*N**alpha*M**beta",
        ["N", "M"],
        positive=["A"],
        name="diloco_joint",
        title="loss, learning rate or batch by model size and replicas",
        units={"N": "parameters", "M": "replicas"},
        reference="Charles et al. 2025, arXiv:2503.09799 (DiLoCo)",
        traps=["It has no floor, so the loss of far larger models is too low.", "alpha is negative for the loss."],
    ),
    Law(
        "S_min*(1 + B_crit/B)",
        ["B"],
        positive=["S_min", "B_crit"],
        name="steps_by_batch",
        title="steps to one loss by batch size",
        units={"B": "batch, in the unit of B_crit"},
        reference="McCandlish et al. 2018, arXiv:1812.06162, as restated in arXiv:2405.14578",
        traps=["B_crit belongs to one loss and grows as that falls.", "Rewritten with B_crit = E_min/S_min."],
    ),
    Law(
        "2*eta_max/(sqrt(B_noise/B) + sqrt(B/B_noise))",
        ["B"],
        positive=["eta_max", "B_noise"],
        name="surge_rate",
        title="best learning rate of Adam by batch size, with a peak",
        units={"B": "batch, in the unit of B_noise"},
        reference="Li et al. 2024, arXiv:2405.14578 (surge)",
        traps=["For Adam and its like, not for SGD.", "B_noise grows as the loss falls."],
    ),
)
