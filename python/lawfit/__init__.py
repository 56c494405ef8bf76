"""Scaling laws fitted massively: exact, honest, immediate.

A law is text or an entry of `lawfit.laws`; `fit` and `fit_many` fit it; `bootstrap` says how far to trust it.
"""

from importlib.metadata import version as _version

from lawfit import costs as costs
from lawfit import estimator as estimator
from lawfit import laws as laws
from lawfit import plotting as plotting
from lawfit import synthetic as synthetic
from lawfit import uncertainty as uncertainty
from lawfit._allocation import Allocation as Allocation
from lawfit._binomial import binomial_sigma as binomial_sigma
from lawfit._chain_fit import ChainFit as ChainFit
from lawfit._count_fit import CountFit as CountFit
from lawfit._derived import Derived as Derived
from lawfit._draws import Draws as Draws
from lawfit._draws import Interval as Interval
from lawfit._estimators import estimate_pass_at_k as estimate_pass_at_k
from lawfit._evidence import Certificate as Certificate
from lawfit._evidence import Optimum as Optimum
from lawfit._fits import Fits as Fits
from lawfit._frontier import Frontier as Frontier
from lawfit._isoflop import IsoFlop as IsoFlop
from lawfit._law import Law as Law
from lawfit._mixture import Mixture as Mixture
from lawfit._mixture import Mixtures as Mixtures
from lawfit._predictions import Predicted as Predicted
from lawfit._predictions import Prediction as Prediction
from lawfit._protocols import protocols as protocols
from lawfit._published import published as published
from lawfit._sampled import Sampled as Sampled
from lawfit._table import Table as Table
from lawfit.adequacy import LackOfFit as LackOfFit
from lawfit.allocation import allocate as allocate
from lawfit.averages import OnAverage as OnAverage
from lawfit.beside import Beside as Beside
from lawfit.chains import fit_chain as fit_chain
from lawfit.comparison import Comparison as Comparison
from lawfit.comparison import compare as compare
from lawfit.contrasts import Contrast as Contrast
from lawfit.contrasts import contrast as contrast
from lawfit.counts import fit_counts as fit_counts
from lawfit.curves import curve_fit as curve_fit
from lawfit.decisions import Plans as Plans
from lawfit.decisions import plans as plans
from lawfit.design import Design as Design
from lawfit.design import next_runs as next_runs
from lawfit.diagnosis import Diagnosis as Diagnosis
from lawfit.envelopes import Envelope as Envelope
from lawfit.envelopes import at_compute as at_compute
from lawfit.envelopes import envelope as envelope
from lawfit.errors import DataError as DataError
from lawfit.errors import FitError as FitError
from lawfit.errors import InternalError as InternalError
from lawfit.errors import LawError as LawError
from lawfit.errors import LawfitError as LawfitError
from lawfit.fitting import fit as fit
from lawfit.fitting import fit_many as fit_many
from lawfit.front_contrasts import FrontContrast as FrontContrast
from lawfit.isoflops import isoflop as isoflop
from lawfit.mixtures import fit_mixture as fit_mixture
from lawfit.nested import LikelihoodRatio as LikelihoodRatio
from lawfit.nested import likelihood_ratio as likelihood_ratio
from lawfit.regrets import Regret as Regret
from lawfit.resampling import bootstrap as bootstrap
from lawfit.results import Fit as Fit
from lawfit.sampling import pass_at_k as pass_at_k
from lawfit.saving import load as load
from lawfit.t2 import T2Comparison as T2Comparison
from lawfit.t2 import compare_t2 as compare_t2
from lawfit.t2_reporting import T2Report as T2Report
from lawfit.t2_reporting import t2_report as t2_report
from lawfit.tables import read_table as read_table
from lawfit.validation import Validation as Validation

__version__ = _version("lawfit")
