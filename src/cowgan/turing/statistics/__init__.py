"""Statistics of a visual Turing test, from signed ratings; positive means generated."""

from cowgan.estimates import Interval, PValue, Undefined
from cowgan.turing.statistics.agreement import (
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    krippendorff_alpha,
    percent_agreement,
)
from cowgan.turing.statistics.answers import Answer, Counts, ReaderAnswers, ReaderPanel
from cowgan.turing.statistics.calibration import Calibration, calibration, confidence_auc
from cowgan.turing.statistics.detection import criterion, d_prime
from cowgan.turing.statistics.mrmc import (
    LEAST_READERS,
    ReaderMean,
    mean_auc,
    mean_balanced_accuracy,
)
from cowgan.turing.statistics.power import (
    PowerCell,
    PowerTable,
    ReaderModel,
    power_table,
    simulate_ratings,
)
from cowgan.turing.statistics.proportions import (
    BayesResult,
    accuracy,
    balanced_accuracy,
    bayes,
    binomial_test,
    equivalence_test,
    fisher_test,
    sensitivity,
    specificity,
)
from cowgan.turing.statistics.repeats import (
    PooledRepeats,
    RepeatAgreement,
    pooled_repeats,
    repeat_agreement,
)
from cowgan.turing.statistics.roc import RocCurve, auc, mean_roc_curve, roc_curve
from cowgan.turing.statistics.times import (
    Halves,
    ResponseTimes,
    Times,
    accuracy_trend,
    first_and_second_half,
    pace_trend,
    response_times,
)
from cowgan.turing.statistics.verdict import (
    MARGIN,
    Evidence,
    Verdict,
    evidence_of_panel,
    evidence_of_reader,
    verdict,
)

__all__ = [
    "LEAST_READERS",
    "MARGIN",
    "Answer",
    "BayesResult",
    "Calibration",
    "Counts",
    "Evidence",
    "Halves",
    "Interval",
    "PValue",
    "PooledRepeats",
    "PowerCell",
    "PowerTable",
    "ReaderAnswers",
    "ReaderMean",
    "ReaderModel",
    "ReaderPanel",
    "RepeatAgreement",
    "ResponseTimes",
    "RocCurve",
    "Times",
    "Undefined",
    "Verdict",
    "accuracy",
    "accuracy_trend",
    "auc",
    "balanced_accuracy",
    "bayes",
    "binomial_test",
    "calibration",
    "cohen_kappa",
    "confidence_auc",
    "criterion",
    "d_prime",
    "equivalence_test",
    "evidence_of_panel",
    "evidence_of_reader",
    "first_and_second_half",
    "fisher_test",
    "fleiss_kappa",
    "gwet_ac1",
    "gwet_ac2",
    "krippendorff_alpha",
    "mean_auc",
    "mean_balanced_accuracy",
    "mean_roc_curve",
    "pace_trend",
    "percent_agreement",
    "pooled_repeats",
    "power_table",
    "repeat_agreement",
    "response_times",
    "roc_curve",
    "sensitivity",
    "simulate_ratings",
    "specificity",
    "verdict",
]
