"""The catalogue of laws: each an entry with its formula, units, bounds, meaning and source.

Every entry is an attribute of this module: ``lawfit.laws.chinchilla``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lawfit import (
    _laws_data,
    _laws_downstream,
    _laws_pretraining,
    _laws_reward,
    _laws_size,
    _laws_testtime,
    _laws_training,
)
from lawfit._law import Law
from lawfit._wording import suggest


class Catalogue(Mapping[str, Law]):
    """Laws by name; an unknown name is answered with the names that there are."""

    __slots__ = ("_laws",)

    def __init__(self, laws: tuple[Law, ...]) -> None:
        self._laws = {law.name: law for law in laws if law.name is not None}

    def __getitem__(self, name: str) -> Law:
        """Look one up."""
        if name not in self._laws:
            raise KeyError(f"no law of the catalogue is called {name!r}; {suggest(name, self._laws)}")
        return self._laws[name]

    def __contains__(self, name: object) -> bool:
        """Tell whether there is such a name."""
        return name in self._laws

    def __iter__(self) -> Iterator[str]:
        """Go through them in order."""
        return iter(self._laws)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._laws)

    def __repr__(self) -> str:
        """Return the form for people."""
        return f"Catalogue({', '.join(self._laws)})"


CATALOGUE = Catalogue(
    (
        *_laws_pretraining.ENTRIES,
        *_laws_size.ENTRIES,
        *_laws_data.ENTRIES,
        *_laws_training.ENTRIES,
        *_laws_downstream.ENTRIES,
        *_laws_reward.ENTRIES,
        *_laws_testtime.ENTRIES,
    )
)

power_floor = CATALOGUE["power_floor"]
chinchilla = CATALOGUE["chinchilla"]
kaplan_nd = CATALOGUE["kaplan_nd"]
t2_loss = CATALOGUE["t2_loss"]
parscale = CATALOGUE["parscale"]
power_shift_floor = CATALOGUE["power_shift_floor"]
chinchilla_tied = CATALOGUE["chinchilla_tied"]
gadre_overtrain = CATALOGUE["gadre_overtrain"]
chinchilla_gamma = CATALOGUE["chinchilla_gamma"]
gemstones = CATALOGUE["gemstones"]
atlas_languages = CATALOGUE["atlas_languages"]
step_law_rate = CATALOGUE["step_law_rate"]
step_law_batch = CATALOGUE["step_law_batch"]
diloco_joint = CATALOGUE["diloco_joint"]
steps_by_batch = CATALOGUE["steps_by_batch"]
surge_rate = CATALOGUE["surge_rate"]
gadre_error = CATALOGUE["gadre_error"]
loss_to_loss = CATALOGUE["loss_to_loss"]
scalerl = CATALOGUE["scalerl"]
ladder_accuracy = CATALOGUE["ladder_accuracy"]
muennighoff = CATALOGUE["muennighoff"]
clark_moe = CATALOGUE["clark_moe"]
morph_shape = CATALOGUE["morph_shape"]
t2_loss_bounded = CATALOGUE["t2_loss_bounded"]
t2_beta = CATALOGUE["t2_beta"]
t2_beta_added = CATALOGUE["t2_beta_added"]
t2_beta_overtrained = CATALOGUE["t2_beta_overtrained"]
t2_beta_product = CATALOGUE["t2_beta_product"]
t2_accuracy = CATALOGUE["t2_accuracy"]
t2_accuracy_link = CATALOGUE["t2_accuracy_link"]
t2_naive = CATALOGUE["t2_naive"]
t2_sampling_exponent = CATALOGUE["t2_sampling_exponent"]
log_linear_ndk = CATALOGUE["log_linear_ndk"]
log_linear_ck = CATALOGUE["log_linear_ck"]
neglog_accuracy = CATALOGUE["neglog_accuracy"]
coverage = CATALOGUE["coverage"]
neglog_power = CATALOGUE["neglog_power"]
beta_pass = CATALOGUE["beta_pass"]
pass_until = CATALOGUE["pass_until"]
power = CATALOGUE["power"]
power_product = CATALOGUE["power_product"]
kaplan_nd_floor = CATALOGUE["kaplan_nd_floor"]
gemstones_size = CATALOGUE["gemstones_size"]
pearce_song_loss = CATALOGUE["pearce_song_loss"]
pearce_song_compute = CATALOGUE["pearce_song_compute"]
farseer = CATALOGUE["farseer"]
bnsl = CATALOGUE["bnsl"]
isoflop_parabola = CATALOGUE["isoflop_parabola"]
quokka = CATALOGUE["quokka"]
atlas_repeated = CATALOGUE["atlas_repeated"]
rectified_sft = CATALOGUE["rectified_sft"]
sft_power = CATALOGUE["sft_power"]
distillation = CATALOGUE["distillation"]
rl_math = CATALOGUE["rl_math"]
q_scaled = CATALOGUE["q_scaled"]
gao_bon = CATALOGUE["gao_bon"]
gao_bon_samples = CATALOGUE["gao_bon_samples"]
gao_rl = CATALOGUE["gao_rl"]
vote_saturating = CATALOGUE["vote_saturating"]
diloco_size = CATALOGUE["diloco_size"]
diloco_joint_floor = CATALOGUE["diloco_joint_floor"]
diloco_exponent = CATALOGUE["diloco_exponent"]
diloco_sum = CATALOGUE["diloco_sum"]
examples_by_batch = CATALOGUE["examples_by_batch"]
noise_rate = CATALOGUE["noise_rate"]
kaplan_steps = CATALOGUE["kaplan_steps"]
llm_line = CATALOGUE["llm_line"]
ladder_log_sigmoid = CATALOGUE["ladder_log_sigmoid"]
ladder_single = CATALOGUE["ladder_single"]
ladder_negated = CATALOGUE["ladder_negated"]
log_fit = CATALOGUE["log_fit"]
observational = CATALOGUE["observational"]
densing_score = CATALOGUE["densing_score"]
densing_time = CATALOGUE["densing_time"]
performance_law = CATALOGUE["performance_law"]

__all__ = [
    "CATALOGUE",
    "Catalogue",
    "atlas_languages",
    "atlas_repeated",
    "beta_pass",
    "bnsl",
    "chinchilla",
    "chinchilla_gamma",
    "chinchilla_tied",
    "clark_moe",
    "coverage",
    "densing_score",
    "densing_time",
    "diloco_exponent",
    "diloco_joint",
    "diloco_joint_floor",
    "diloco_size",
    "diloco_sum",
    "distillation",
    "examples_by_batch",
    "farseer",
    "gadre_error",
    "gadre_overtrain",
    "gao_bon",
    "gao_bon_samples",
    "gao_rl",
    "gemstones",
    "gemstones_size",
    "isoflop_parabola",
    "kaplan_nd",
    "kaplan_nd_floor",
    "kaplan_steps",
    "ladder_accuracy",
    "ladder_log_sigmoid",
    "ladder_negated",
    "ladder_single",
    "llm_line",
    "log_fit",
    "log_linear_ck",
    "log_linear_ndk",
    "loss_to_loss",
    "morph_shape",
    "muennighoff",
    "neglog_accuracy",
    "neglog_power",
    "noise_rate",
    "observational",
    "parscale",
    "pass_until",
    "pearce_song_compute",
    "pearce_song_loss",
    "performance_law",
    "power",
    "power_floor",
    "power_product",
    "power_shift_floor",
    "q_scaled",
    "quokka",
    "rectified_sft",
    "rl_math",
    "scalerl",
    "sft_power",
    "step_law_batch",
    "step_law_rate",
    "steps_by_batch",
    "surge_rate",
    "t2_accuracy",
    "t2_accuracy_link",
    "t2_beta",
    "t2_beta_added",
    "t2_beta_overtrained",
    "t2_beta_product",
    "t2_loss",
    "t2_loss_bounded",
    "t2_naive",
    "t2_sampling_exponent",
    "vote_saturating",
]


def __getattr__(name: str) -> Law:
    """Answer an unknown law with the names that there are."""
    raise AttributeError(f"lawfit.laws has no {name!r}; {suggest(name, CATALOGUE)}")
