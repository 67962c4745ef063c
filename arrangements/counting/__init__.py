"""Numbers of chambers and faces without lists.

============  ====================================================================================
closed_forms  Cover's bound; general position
deletion      characteristic polynomial by deletion and restriction
estimation    unbiased estimates of the number of chambers
residues      lower bounds from residues of the rows modulo a prime
projections   Whitney numbers of points over a finite field
============  ====================================================================================
"""

from arrangements.counting.closed_forms import (
    cover_bound,
    generic_characteristic_polynomial,
    generic_f_vector,
    generic_whitney_numbers,
)

from .deletion import components, deletion_restriction

__all__ = [
    "components",
    "cover_bound",
    "deletion_restriction",
    "generic_characteristic_polynomial",
    "generic_f_vector",
    "generic_whitney_numbers",
]
