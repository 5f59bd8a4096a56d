"""Right: Fourier transforms, convolutions, pooling, and complex arguments and values."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gallery.case import Maker, array, normal
from gallery.elementwise import right


def complex_normal(seed: int, *shapes: tuple[int, ...]) -> Maker:
    """Return a maker of complex arguments, complex64 for float32 and complex128 for float64."""

    def make(dtype: str) -> tuple[jax.Array, ...]:
        real, imaginary = normal(seed, *shapes)(dtype), normal(seed + 1000, *shapes)(dtype)
        return tuple(lax.complex(a, b) for a, b in zip(real, imaginary, strict=True))

    return make


def image_convolution(x: jax.Array, w: jax.Array) -> jax.Array:
    """Return a strided, dilated, padded convolution of an image."""
    return lax.conv_general_dilated(
        x,
        w,
        (2, 1),
        [(1, 1), (0, 2)],
        rhs_dilation=(1, 2),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def spectral_filter(x: jax.Array, h: jax.Array) -> jax.Array:
    """Return x filtered in the frequency domain."""
    return jnp.fft.irfft(jnp.fft.rfft(x) * lax.complex(h, 0 * h), n=x.shape[0])


def stft_power(x: jax.Array) -> jax.Array:
    """Return the power in overlapping, windowed frames."""
    frames = jnp.stack([x[i : i + 6] for i in range(0, 7, 3)])
    window = array(x.dtype.name, [0.0, 0.375, 0.875, 0.875, 0.375, 0.0])
    return jnp.abs(jnp.fft.rfft(frames * window[None], axis=-1)) ** 2


CASES = (
    right(
        "fft_power", lambda x: jnp.abs(jnp.fft.fft(x)) ** 2, normal(1, (6,)), "real in, real out"
    ),
    right("rfft_pair", lambda x: jnp.fft.rfft(x), normal(2, (7,)), "half a spectrum, complex out"),
    right(
        "irfft_filter",
        spectral_filter,
        lambda t: (*normal(3, (8,))(t), *normal(4, (5,))(t)),
        "the middle of the spectrum counts twice, its ends once",
    ),
    right("fft2", lambda x: jnp.real(jnp.fft.fft2(x)[1]) ** 2, normal(5, (3, 4)), "two axes"),
    right("stft_power", stft_power, normal(6, (12,)), "overlapping frames"),
    right("convolve", lambda x, w: jnp.convolve(x, w, mode="same"), normal(7, (8,), (3,)), "both"),
    right(
        "conv_strided_dilated",
        image_convolution,
        normal(8, (1, 6, 7, 2), (3, 2, 2, 2)),
        "stride, padding and dilation, all different by axis",
    ),
    right(
        "conv_transpose",
        lambda x, w: lax.conv_transpose(
            x, w, (2,), "SAME", dimension_numbers=("NHC", "HIO", "NHC")
        ),
        normal(9, (1, 4, 2), (3, 2, 2)),
        "transposed, stride 2",
    ),
    right(
        "depthwise",
        lambda x, w: lax.conv_general_dilated(
            x, w, (1,), "VALID", feature_group_count=2, dimension_numbers=("NHC", "HIO", "NHC")
        ),
        normal(10, (1, 5, 2), (3, 1, 2)),
        "feature groups",
    ),
    right(
        "average_pool",
        lambda x: lax.reduce_window(
            jnp.sin(x), np.zeros((), x.dtype)[()], lax.add, (2,), (2,), "VALID"
        ),
        normal(11, (6,)),
        "a sum over windows",
    ),
    right(
        "max_pool",
        lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (2, 2), (2, 2), "VALID"),
        normal(12, (4, 4)),
        "no ties in any window",
    ),
    right(
        "bilinear_resize",
        lambda x: jax.image.resize(x, (5, 7), "bilinear"),
        normal(13, (3, 4)),
        "linear, with weights that do not sum to one at edges",
    ),
    right("complex_holomorphic", lambda z: jnp.exp(z) * z, complex_normal(14, (3,)), "holomorphic"),
    right(
        "complex_modulus",
        lambda z: jnp.sum(jnp.abs(z) ** 2 * jnp.real(z)),
        complex_normal(15, (4,)),
        "real of complex; the gradient is the conjugate of what many expect",
    ),
    right(
        "complex_conjugate",
        lambda z, w: jnp.vdot(z, jnp.tanh(w)),
        complex_normal(16, (3,), (3,)),
        "not holomorphic, complex out",
    ),
    right(
        "complex_angle",
        lambda z: jnp.angle(z) * jnp.abs(z),
        complex_normal(17, (3,)),
        "away from its cut",
    ),
    right(
        "complex_solve",
        lambda a, b: jnp.linalg.solve(a, b),
        complex_normal(18, (3, 3), (3,)),
        "complex linear algebra",
    ),
    right(
        "complex_from_real",
        lambda x: jnp.real(jnp.exp(lax.complex(x, 2 * x)) ** 2),
        normal(19, (3,)),
        "complex inside only",
    ),
    right(
        "complex_eigh",
        lambda a: jnp.linalg.eigvalsh(a + a.conj().T),
        complex_normal(20, (3, 3)),
        "hermitian made inside",
    ),
    right(
        "complex_roots",
        lambda c: jnp.abs(jnp.sqrt(c) + c**3),
        complex_normal(21, (4,)),
        "away from the cut of the root",
    ),
)
