"""Theorems as functions: pure, vectorised, with statement, assumptions and domain checks.

Law 0 is in ``kernel``, the coefficients of all laws in ``coefficients``, Law 1 in ``attributes``, Law 2 in ``statistics``,
Law 3 in ``similarity``, Law 5, least squares and ridge, in ``linear``, Law 7 in ``learning`` (packets) and ``wiring`` (known
matrices), what fewer bits cost in ``storage``, the laws of a baseline in ``holographic``.  Law 4, truncation, has no file:
it is the argument ``kept`` of all of them.
"""

from __future__ import annotations

from simnet.theory.attributes import (
    attribute_bound,
    attribute_mse,
    chebyshev_bound,
    gaussian_bound,
    matched_mse,
)
from simnet.theory.coefficients import coefficient, coefficients, namesakes, unit_coefficient
from simnet.theory.holographic import clean_up_accuracy, holographic_mse, holographic_norm
from simnet.theory.kernel import kernel, kernel_diagonal, kernel_matrix, place_gram
from simnet.theory.learning import learnt_fraction, learnt_fraction_independent
from simnet.theory.linear import effective_noise, linear_mse, shared_path_excess
from simnet.theory.similarity import (
    attribute_share_of_norm,
    norm_bound,
    random_layers,
    similar_inputs_bound,
    similarity_bound,
    transparent_variance,
)
from simnet.theory.statistics import (
    expected_norm,
    frequency_mse,
    mean_mse,
    module_depth,
    module_sums,
    presence_coefficient,
    sum_mse,
)
from simnet.theory.storage import STORAGES, largest_square, storage_noise
from simnet.theory.wiring import wiring_coordinates, wiring_noise

__all__ = [
    "STORAGES",
    "attribute_bound",
    "attribute_mse",
    "attribute_share_of_norm",
    "chebyshev_bound",
    "clean_up_accuracy",
    "coefficient",
    "coefficients",
    "effective_noise",
    "expected_norm",
    "frequency_mse",
    "gaussian_bound",
    "holographic_mse",
    "holographic_norm",
    "kernel",
    "kernel_diagonal",
    "kernel_matrix",
    "largest_square",
    "learnt_fraction",
    "learnt_fraction_independent",
    "linear_mse",
    "matched_mse",
    "mean_mse",
    "module_depth",
    "module_sums",
    "namesakes",
    "norm_bound",
    "place_gram",
    "presence_coefficient",
    "random_layers",
    "shared_path_excess",
    "similar_inputs_bound",
    "similarity_bound",
    "storage_noise",
    "sum_mse",
    "transparent_variance",
    "unit_coefficient",
    "wiring_coordinates",
    "wiring_noise",
]
