"""Right: special functions, whose implementations switch between series and so are a bit rough."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special as sp
import jax.scipy.stats as stats
from jax import lax

from gallery.case import Case, at
from gallery.elementwise import right

CASES: tuple[Case, ...] = (
    right("gammaln", sp.gammaln, at([0.01, 1.5, 60.0, -2.5]), "a pole at 0, slopes −100 to 4"),
    right("gamma", sp.gamma, at([0.5, 4.5, -1.5]), "both signs"),
    right("digamma", sp.digamma, at([0.25, 1.5, 30.0]), "slope 17 down to 0.03"),
    right("polygamma_two", lambda x: sp.polygamma(2, x), at([0.75, 3.0]), "order by a constant"),
    right(
        "zeta_in_q", lambda q: sp.zeta(jnp.full_like(q, 2.5), q), at([0.5, 3.0]), "second argument"
    ),
    right("erf", sp.erf, at([-2.0, 0.0, 0.5]), "smooth"),
    right("erfc_tail", sp.erfc, at([4.0, 6.0]), "values of 1e-8 and 1e-17, yet no flat ones"),
    right("erfinv", sp.erfinv, at([-0.996, 0.5]), "steep near its pole"),
    right("ndtri_tail", sp.ndtri, at([1e-4, 0.5]), "slope 2500 beside 2.5"),
    right("log_ndtr_tail", sp.log_ndtr, at([-25.0, 2.0]), "an asymptotic series"),
    right("bessel_i0e", sp.i0e, at([0.5, 7.5, -9.0]), "two series, joined at 8"),
    right("bessel_i1", sp.i1, at([0.5, -3.0]), "odd"),
    right("betaln", sp.betaln, at([0.5, 20.0], [3.0, 0.25]), "both arguments"),
    right(
        "betainc_in_x",
        lambda x: sp.betainc(2.5, 0.75, x),
        at([0.125, 0.996]),
        "steep near 1, a continued fraction inside",
    ),
    right(
        "igamma_in_a",
        sp.gammainc,
        at([0.5, 3.0, 20.0], [0.25, 3.0, 15.0]),
        "by the shape parameter: a series of its own",
    ),
    right("igammac", sp.gammaincc, at([2.0], [7.0]), "the complement"),
    right("spence", sp.spence, at([0.25, 3.0]), "the dilogarithm; from 1 to 2 JAX's rule is wrong"),
    right("expi", sp.expi, at([0.5, 3.0]), "exponential integral"),
    right("exp1", sp.exp1, at([0.25, 2.0]), "a logarithmic pole at 0"),
    right("entr", sp.entr, at([0.001, 0.5]), "infinite slope at 0, 0.001 away"),
    right(
        "xlogy", sp.xlogy, at([0.0, 2.0], [0.5, 3.0]), "x = 0 exactly, where it is defined by hand"
    ),
    right("xlog1py", sp.xlog1py, at([0.5, 2.0], [-0.75, 3.0]), "both arguments"),
    right("logit", sp.logit, at([0.001, 0.996]), "two poles"),
    right("rel_entr", sp.rel_entr, at([0.25, 2.0], [0.5, 1.5]), "two branches"),
    right("multigammaln", lambda a: sp.multigammaln(a, 3), at([2.5, 7.0]), "a sum of gammaln"),
    right(
        "softmax_cross_entropy",
        lambda x: -jax.nn.log_softmax(x)[1],
        at([3.0, -1.0, 0.5, 30.0]),
        "one logit dominates: slopes of 1e-12 beside 1",
    ),
    right(
        "beta_logpdf",
        lambda x, a: stats.beta.logpdf(x, a, 2.5),
        at(0.5, 1.0),
        "a = 1, where x**(a − 1) is handled apart",
    ),
    right(
        "student_t_logpdf",
        lambda x, nu: stats.t.logpdf(x, nu),
        at([0.5, -3.0], [3.0, 40.0]),
        "gammaln of the degrees of freedom",
    ),
    right(
        "von_mises_logpdf", lambda x, k: stats.vonmises.logpdf(x, k), at([0.5], [4.0]), "i0e inside"
    ),
    right(
        "dirichlet_logpdf",
        lambda a: stats.dirichlet.logpdf(jnp.asarray([0.25, 0.25, 0.5], a.dtype), a),
        at([0.5, 1.5, 3.0]),
        "a sum over a simplex",
    ),
    right(
        "polynomial_of_bessel", lambda x: sp.i0(x) * sp.i1e(x), at([0.5, -1.5]), "cancelling scales"
    ),
)


def kummer(b: Any, x: jax.Array) -> jax.Array:
    """Return ₁F₁(1.5; b; x) by its series, stopped when a term no longer counts."""

    def body(carry: Any) -> Any:
        total, term, k = carry
        term = term * (1.5 + k) / (b + k) * x / (1 + k)
        return total + term, term, k + 1

    one = jnp.ones_like(x)
    return lax.while_loop(lambda c: jnp.abs(c[1]) > 1e-14 * jnp.abs(c[0]), body, (one, one, 0 * x))[
        0
    ]


CASES += (
    right(
        "series_until_converged",
        lambda x: kummer(2.5, x),
        at(1.5),
        "a while loop whose length depends on x; no reverse mode",
        modes=("fwd",),
        dtypes=("float64",),
    ),
)
