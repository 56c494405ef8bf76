"""Costs by name: each a formula of N, D and k with arguments, its unit and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from lawfit._named import Named
from lawfit._text import table
from lawfit._wording import nearest, suggest
from lawfit.errors import LawError

# How many times as wide as deep a transformer is, where nobody says its shape: that of GPT-3.
ASPECT = "128"
LAYERS, WIDTH = "n_layers", "d_model"


@dataclass(frozen=True, slots=True)
class Argument:
    """What a cost needs beside the variables.

    Attributes
    ----------
    meaning : str
        What it is, with its unit.
    default : str or None
        Its formula if it is left out; None where it must be given.
    is_share : bool
        Whether a number is above 0 and at most 1.
    """

    meaning: str
    default: str | None = None
    is_share: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Cost:
    """A cost by name; `lawfit.costs` says how it is written in a budget.

    Attributes
    ----------
    name : str
        What stands in a formula.
    text : str
        Its formula over N (parameters), D (training tokens), k (samples) and its arguments.
    unit : str
        What it counts.
    meaning : str
        What it is, and when to use it.
    reference : str
        Where the formula comes from.
    arguments : mapping of str to Argument
        What it takes; shapes follow from N unless they are given.
    """

    name: str
    text: str
    unit: str
    meaning: str
    reference: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return the form for people."""
        lines = [f"{self.name}: {self.meaning}", f"  {self.text}", f"  in {self.unit}; {self.reference}"]
        if self.arguments:
            rows = [
                [name, argument.meaning, "must be given" if argument.default is None else f"default {argument.default}"]
                for name, argument in self.arguments.items()
            ]
            lines += ["", *(f"  {line}" for line in table(["argument", "meaning", ""], rows, left=3))]
        return "\n".join(lines)


SHAPE = {
    LAYERS: Argument("layers", f"(N/(12*aspect**2))**(1/3), or N/(12*{WIDTH}**2)"),
    WIDTH: Argument("width of the residual stream", f"aspect*{LAYERS}, or (N/(12*{LAYERS}))**0.5"),
    "aspect": Argument("d_model / n_layers where neither is given", ASPECT),
}
CONTEXT = {"context": Argument("tokens of a training sequence", "2048")}
UTILIZATION = Argument("share of it that is reached: about .4 in training, .01 to .1 in decoding", is_share=True)
GROUP = {"group": Argument("attention heads to a head of keys and values", "1")}


def shape_of(given: Mapping[str, str]) -> dict[str, str]:
    """Formulas of layers and width: of N = 12 layers width**2 and what is given."""
    if LAYERS in given:
        return {WIDTH: given.get(WIDTH, f"(N/(12*({given[LAYERS]})))**0.5"), LAYERS: given[LAYERS]}
    if WIDTH in given:
        return {WIDTH: given[WIDTH], LAYERS: f"N/(12*({given[WIDTH]})**2)"}
    aspect = given.get("aspect", ASPECT)
    layers = f"(N/(12*({aspect})**2))**(1/3)"
    return {LAYERS: layers, WIDTH: f"({aspect})*{layers}"}


def _catalogue(*costs: Cost) -> Named[Cost]:
    if len({cost.name for cost in costs}) < len(costs):
        raise LawError("two costs have the same name")
    return Named({cost.name: cost for cost in costs})


CATALOGUE: Final[Named[Cost]] = _catalogue(
    Cost(
        "training", "6*N*D", "FLOPs",
        "training, forward and backward, without attention; N must be the parameters that take part in each token",
        "Kaplan et al. 2020, arXiv:2001.08361, section 2.1",
    ),
    Cost(
        "kaplan_training", "3*(2*N + 2*n_layers*context*d_model)*D", "FLOPs",
        "training with attention scores, N without embeddings",
        "Kaplan et al. 2020, arXiv:2001.08361, table 1 (term of attention from memory)",
        {**CONTEXT, **SHAPE},
    ),
    Cost(
        "attention_training", "(6*N + 6*context*d_model*n_layers)*D", "FLOPs",
        "training with the causal half of attention; N with the output head, without input embeddings",
        "Porian et al. 2024, arXiv:2406.19146, their code",
        {**CONTEXT, **SHAPE},
    ),
    Cost(
        "chinchilla_training",
        "3*(4*vocabulary*d_model + n_layers*((8 + 4*ffw)*d_model**2 + 4*context*d_model"
        " + 3*context*d_model/head_size))*D",
        "FLOPs",
        "training with embeddings, attention and softmax, counted matrix by matrix without a causal half",
        "Hoffmann et al. 2022, arXiv:2203.15556, appendix F",
        {
            "vocabulary": Argument("tokens of the vocabulary", "32000"), **CONTEXT,
            "head_size": Argument("width of an attention head", "128"),
            "ffw": Argument("width of the feed-forward layer over d_model", "4"), **SHAPE,
        },
    ),
    Cost(
        "deepseek_training", "(72*n_layers*d_model**2 + 12*n_layers*d_model*context)*D", "FLOPs",
        "training by non-embedding FLOPs per token",
        "DeepSeek-AI 2024, arXiv:2401.02954 (constants from memory)",
        {**CONTEXT, **SHAPE},
    ),
    Cost(
        "sampling", "2*N*k", "FLOPs per token served",
        "k samples of a token, without attention: the inference budget of train-to-test scaling",
        "Roberts et al. 2026, arXiv:2604.01411, section 2",
    ),
    Cost(
        "inference", "2*N*tokens", "FLOPs",
        "a model's whole life of serving; add it to training for one end-to-end budget",
        "Sardana et al. 2024, arXiv:2401.00448",
        {"tokens": Argument("tokens served over the model's life, prompts included")},
    ),
    Cost(
        "answering", "2*N*k*tokens*queries", "FLOPs",
        "k samples for each of many queries",
        "Roberts et al. 2026, arXiv:2604.01411, over a model's life",
        {"queries": Argument("queries over the model's life"), "tokens": Argument("tokens of a sample")},
    ),
    Cost(
        "prefill", "2*N*prompt + attention*n_layers*d_model*prompt**2/2", "FLOPs",
        "reading one prompt",
        "2N a token and attention to half of the prompt in the mean",
        {
            "prompt": Argument("tokens of the prompt"),
            "attention": Argument("FLOPs per layer, width and token attended: 2 or 4 by convention", "4"), **SHAPE,
        },
    ),
    Cost(
        "decoding", "k*(2*N*answer + attention*n_layers*d_model*answer*(prompt + answer/2))", "FLOPs",
        "writing k answers to one prompt",
        "2N a token and attention to the prompt and half of the answer in the mean",
        {
            "prompt": Argument("tokens of the prompt"), "answer": Argument("tokens of an answer"),
            "attention": Argument("FLOPs per layer, width and token attended: 2 or 4 by convention", "4"), **SHAPE,
        },
    ),
    Cost(
        "kinetics",
        "k*(2*N*answer + 2*group*prompt*kv*answer + group*kv*answer_squared)"
        " + intensity*(2*prompt*kv*answer + k*kv*answer_squared)",
        "eFLOPs",
        "k answers to one prompt with the traffic of keys and values, which rules where answers are long",
        "Sadhukhan et al. 2025, arXiv:2506.05333, their code",
        {
            "prompt": Argument("tokens of the prompt"), "answer": Argument("mean tokens of an answer"),
            "answer_squared": Argument("mean of their square", "answer**2"),
            "intensity": Argument("FLOPs in the time of one element of traffic", "562.5"),
            "kv": Argument("elements of keys and values per token", "2*n_layers*d_model/group"), **GROUP, **SHAPE,
        },
    ),
    Cost(
        "weight_memory", "N*bytes", "bytes",
        "the weights; N must be all parameters, of all experts too",
        "bytes times parameters",
        {"bytes": Argument("bytes of a parameter", "2")},
    ),
    Cost(
        "kv_memory", "samples*2*n_layers*d_model/group*length*bytes", "bytes",
        "keys and values of the samples that are written at once; add it to weight_memory",
        "two vectors of a layer and token",
        {
            "length": Argument("tokens of a sequence"), "samples": Argument("sequences at once", "k"),
            "bytes": Argument("bytes of an element", "2"), **GROUP, **SHAPE,
        },
    ),
    Cost(
        "gpu_hours", "(flops)/(3600*peak*utilization)", "hours of one GPU",
        "time of any FLOPs",
        "FLOPs over what a GPU does in an hour",
        {
            "flops": Argument("a formula, which may hold other costs", "6*N*D"),
            "peak": Argument("FLOP/s that the GPU is sold with"),
            "utilization": UTILIZATION,
        },
    ),
    Cost(
        "dollars", "price*(flops)/(3600*peak*utilization)", "dollars",
        "price of any FLOPs; add training and serving, each with its utilization",
        "hours times their price",
        {
            "flops": Argument("a formula, which may hold other costs", "6*N*D"),
            "price": Argument("dollars for an hour of one GPU"), "peak": Argument("FLOP/s that the GPU is sold with"),
            "utilization": UTILIZATION,
        },
    ),
)  # fmt: skip


def meant(name: str, known: Iterable[str], introduction: str) -> str:
    """End of a message on a name that is no variable: the variable or the cost that it may mean, and the variables."""
    variables = list(known)
    near = nearest(name, CATALOGUE) if nearest(name, variables) is None else None
    return ("" if near is None else f"did you mean the cost {near!r}? ") + suggest(name, variables, introduction)
