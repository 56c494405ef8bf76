"""Laws of what a loss or compute means downstream: error, accuracy, reward and other losses."""

from __future__ import annotations

from lawfit._law import Law

ENTRIES = (
    Law(
        "epsilon - k*exp(-gamma*L)",
        ["L"],
        positive=["epsilon", "k", "gamma"],
        name="gadre_error",
        title="downstream error by loss",
        units={"L": "nats per token"},
        reference="Gadre et al. 2024, arXiv:2403.08540",
        traps=["The three parameters are nearly collinear with few models.", "epsilon may exceed the error of chance."],
    ),
    Law(
        "K*(L - E0)**kappa + E1",
        ["L"],
        positive=["K", "kappa"],
        name="loss_to_loss",
        title="one loss by another",
        units={"L": "nats per token, of the other data"},
        reference="Brandfonbrener et al. 2024, arXiv:2411.12925",
        traps=["E0 above the smallest L has no value; the authors hold E0 and E1 at floors fitted before."],
    ),
    Law(
        "R0 + (A - R0)/(1 + (C_mid/C)**B)",
        ["C"],
        positive=["R0", "A", "C_mid", "B"],
        name="scalerl",
        title="reward by compute of reinforcement learning, saturating",
        units={"C": "GPU hours"},
        reference="Khatri et al. 2025, arXiv:2510.13786 (ScaleRL)",
        traps=["The authors leave out the first 1,500 GPU hours.", "A is uncertain by about 0.02."],
    ),
    Law(
        "a/(1 + exp(-k*(L - L0))) + b",
        ["L"],
        positive=["k", "L0", "b"],
        bounds={"a": (-1, 0), "b": (0, 1)},
        name="ladder_accuracy",
        title="accuracy by task loss, a falling sigmoid",
        units={"L": "bits per byte of the right answer"},
        reference="Bhagia et al. 2024, arXiv:2412.04403 (OLMo ladder, step 2; the authors' code)",
        traps=["Without models near the ceiling a + b or b is not held by the data; the authors add an ideal point."],
    ),
)
