#!/usr/bin/env python3
"""Writes ../Kernels/Coefficients.h: every polynomial and constant of the vector math library.

Usage: generate.py [-o FILE]      (needs mpmath 1.3; gmpy2 makes it faster; half a minute)

All tables are our own weighted minimax fits (see minimax.py): the formula, the interval and the
weight of each are given where it is requested below, and the achieved error is printed beside it
in the generated header.
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor

from mpmath import mp, mpf, mpf as F, exp, expm1, log, log1p, sin, cos, atan, tanh, sinh, cosh
from mpmath import asin, digamma, erf, erfc, erfinv, findroot, loggamma, psi, sqrt, besseli, pi, floor

from minimax import fit, log2_of, round_to

mp.dps = 50
LN2 = log(2)
BITS = {"f32": 24, "f64": 53}


def erfcx(x):
    return exp(x * x) * erfc(x)


def rational_variable(c):
    """The inverse of t = (x - c) / (x + c)."""
    return lambda t: c * (1 + t) / (1 - t)


def erfcx_scaled(c):
    """(1 + 2x) erfcx(x) as a function of t."""
    inverse = rational_variable(c)
    return lambda t: (1 + 2 * inverse(t)) * erfcx(inverse(t))


def bessel_small(order):
    """With u = (x/2)^2: I0(x) = 1 + u P(u), I1(x) = x/2 (1 + u P(u))."""
    if order == 0:
        value = lambda u: besseli(0, 2 * sqrt(u))
    else:
        value = lambda u: besseli(1, 2 * sqrt(u)) / sqrt(u)
    return (lambda u: (value(u) - 1) / u), (lambda u: u / value(u))


def bessel_large(order):
    """With v = 1/x: exp(-x) In(x) = sqrt(v) P(v)."""
    value = lambda v: sqrt(1 / v) * exp(-1 / v) * besseli(order, 1 / v)
    return value, (lambda v: 1 / value(v))


def erfinv_tail(w):
    """y with erfc(y) = exp(-w^2)."""
    p = exp(-w * w)
    y = erfinv(1 - p) if w < 1 else w * F("0.93")
    for _ in range(100):
        step = (1 - erfc(y) / p) * sqrt(pi) / 2 * exp(y * y) * p
        step /= 1 + y * step
        y -= step
        if abs(step) < mpf(10) ** -45 * y:
            return y
    raise ArithmeticError("the iteration does not converge")


def stirling_rest(z):
    """x (lgamma(x) - (x - 1/2) log x + x - log(2 pi)/2), z = 1/x^2."""
    x = 1 / sqrt(z)
    return x * (loggamma(x) - (x - F(1) / 2) * log(x) + x - log(2 * pi) / 2)


def digamma_rest(z):
    """x^2 (log x - 1/(2x) - digamma(x)), z = 1/x^2."""
    x = 1 / sqrt(z)
    return x * x * (log(x) - 1 / (2 * x) - digamma(x))


def trigamma_rest(z):
    """x^3 (trigamma(x) - 1/x - 1/(2x^2)), z = 1/x^2."""
    x = 1 / sqrt(z)
    return x**3 * (psi(1, x) - 1 / x - 1 / (2 * x * x))


def tetragamma_rest(z):
    """-x^4 (tetragamma(x) + 1/x^2 + 1/x^3), z = 1/x^2."""
    x = 1 / sqrt(z)
    return -(x**4) * (psi(2, x) + 1 / x**2 + 1 / x**3)


def pentagamma_rest(z):
    """x^5 (pentagamma(x) - 2/x^3 - 3/x^4), z = 1/x^2."""
    x = 1 / sqrt(z)
    return x**5 * (psi(3, x) - 2 / x**3 - 3 / x**4)


def digamma_root():
    """The positive zero of digamma."""
    return findroot(digamma, F("1.4616321449683623"))


def tables():
    """(name, comment, {type: (g, w, a, b, degree)})"""
    out = []

    def add(name, comment, **types):
        out.append((name, comment, types))

    half = LN2 / 2 * F("1.001")
    g = lambda r: (expm1(r) - r) / r**2
    w = lambda r: abs(r**2 / expm1(r))
    add(
        "Exp",
        "e^r = 1 + r + r^2 P(r), |r| <= ln2/2; error relative to e^r - 1",
        f32=(g, w, -half, half, 4),
        f64=(g, w, -half, half, 9),
    )
    g = lambda f: (log1p(f) - f + f**2 / 2) / f**3
    w = lambda f: f**3 / log1p(f)
    add("Log", "log(1+f) = f - f^2/2 + f^3 P(f), -1/4 <= f <= 1/2", f32=(g, w, F(-1) / 4, F(1) / 2, 7))
    for name, base in (("Log2", 2), ("Log10", 10)):
        gb = lambda f, base=base: (log1p(f) - f) / log(base) / f**2
        wb = lambda f, base=base: abs(f**2 * log(base) / log1p(f))
        add(
            name,
            f"log_{base}(1+f) = f/ln({base}) + f^2 P(f), -1/4 <= f <= 1/2",
            f32=(gb, wb, F(-1) / 4, F(1) / 2, 8),
        )
    g = lambda z: (2 * mp.atanh(sqrt(z)) / sqrt(z) - 2) / z
    w = lambda z: z
    add(
        "LogAtanh",
        "log((1+s)/(1-s)) = 2s + s^3 P(s^2), |s| <= 1/5",
        f64=(g, w, F(0), F(1) / 25, 7),
    )
    g = lambda z: (sin(sqrt(z)) / sqrt(z) - 1) / z
    w = lambda z: z * sqrt(z) / sin(sqrt(z))
    add(
        "Sin",
        "sin r = r + r^3 P(r^2), |r| <= pi/2",
        f32=(g, w, F(0), (pi / 2) ** 2 * F("1.0005"), 3),
        f64=(g, w, F(0), (pi / 2) ** 2 * F("1.0005"), 7),
    )
    add(
        "SinUnit",
        "sin r = r + r^3 P(r^2), |r| <= 1",
        f32=(g, w, F(0), F("1.0005"), 3),
        f64=(g, w, F(0), F("1.0005"), 6),
    )
    g = lambda z: (cos(sqrt(z)) - 1 + z / 2) / z**2
    w = lambda z: z**2 / cos(sqrt(z))
    add(
        "CosUnit",
        "cos r = 1 - r^2/2 + r^4 P(r^2), |r| <= 1",
        f32=(g, w, F(0), F("1.0005"), 2),
        f64=(g, w, F(0), F("1.0005"), 5),
    )
    g = lambda z: (tanh(sqrt(z)) / sqrt(z) - 1) / z
    w = lambda z: z * sqrt(z) / tanh(sqrt(z))
    add(
        "Tanh",
        "tanh x = x + x^3 P(x^2), |x| <= 0.625",
        f32=(g, w, F(0), F("0.625") ** 2, 4),
        f64=(g, w, F(0), F("0.625") ** 2, 11),
    )
    g = lambda z: (sinh(sqrt(z)) / sqrt(z) - 1) / z
    w = lambda z: z * sqrt(z) / sinh(sqrt(z))
    add(
        "Sinh",
        "sinh x = x + x^3 P(x^2), |x| <= 1",
        f32=(g, w, F(0), F(1), 3),
        f64=(g, w, F(0), F(1), 6),
    )
    g = lambda z: (atan(sqrt(z)) / sqrt(z) - 1) / z
    w = lambda z: z * sqrt(z) / atan(sqrt(z))
    add(
        "Atan",
        "atan x = x + x^3 P(x^2), |x| <= 1",
        f32=(g, w, F(0), F(1), 8),
        f64=(g, w, F(0), F(1), 19),
    )
    g = lambda z: erf(sqrt(z)) / sqrt(z) - 1
    w = lambda z: sqrt(z) / erf(sqrt(z))
    add(
        "Erf",
        "erf x = x + x P(x^2), |x| <= 1",
        f32=(g, w, F(0), F(1), 6),
        f64=(g, w, F(0), F(1), 12),
    )
    g32, g64 = erfcx_scaled(2), erfcx_scaled(4)
    add(
        "Erfcx",
        "(1 + 2x) e^(x^2) erfc(x) = P(t), t = (x - c)/(x + c); f32: c = 2, 0 <= x <= 10.5;"
        " f64: c = 4, 0 <= x <= 28",
        f32=(g32, lambda t: 1 / g32(t), F(-1), (F("10.5") - 2) / (F("10.5") + 2), 9),
        f64=(g64, lambda t: 1 / g64(t), F(-1), F(24) / 32, 24),
    )
    for order, ds, dl in ((0, (6, 17), (7, 17)), (1, (6, 16), (9, 17))):
        g, w = bessel_small(order)
        head = "1 + u P(u)" if order == 0 else "x/2 (1 + u P(u))"
        add(
            f"BesselI{order}Small",
            f"I{order}(x) = {head}, u = (x/2)^2; f32: |x| <= 5; f64: |x| <= 12",
            f32=(g, w, F(0), F(25) / 4, ds[0]),
            f64=(g, w, F(0), F(36), ds[1]),
        )
        g, w = bessel_large(order)
        add(
            f"BesselI{order}Large",
            f"e^-x I{order}(x) = sqrt(v) P(v), v = 1/x; f32: x >= 5; f64: x >= 12",
            f32=(g, w, F(1) / 5000, F(1) / 5, dl[0]),
            f64=(g, w, F(1) / 5000, F(1) / 12, dl[1]),
        )
    g = lambda z: (asin(sqrt(z)) / sqrt(z) - 1) / z
    w = lambda z: z * sqrt(z) / asin(sqrt(z))
    add(
        "Asin",
        "asin x = x + x^3 P(x^2), |x| <= 1/2",
        f32=(g, w, F(0), F(1) / 4, 4),
        f64=(g, w, F(0), F(1) / 4, 11),
    )
    g = lambda z: erfinv(sqrt(z)) / sqrt(z)
    w = lambda z: sqrt(z) / erfinv(sqrt(z))
    add(
        "ErfInvCentre",
        "erfinv x = x P(x^2), |x| <= 1/2",
        f32=(g, w, F(0), F(1) / 4, 5),
        f64=(g, w, F(0), F(1) / 4, 13),
    )
    g = lambda c: lambda t: erfinv_tail(c + t) - (c + t)
    w = lambda c: lambda t: 1 / erfinv_tail(c + t)
    c = F("1.54")
    add(
        "ErfInvTail",
        "erfinv(1 - e^(-w^2)) = w + P(w - 1.54), 0.83 <= w <= 2.25",
        f32=(g(c), w(c), F("-0.71"), F("0.71"), 10),
        f64=(g(c), w(c), F("-0.71"), F("0.71"), 26),
    )
    c32, c64 = F("3.1875"), F("4.1875")
    add(
        "ErfInvFar",
        "erfinv(1 - e^(-w^2)) = w + P(w - c); f32: c = 3.1875, 2.25 <= w <= 4.1; f64: c = 4.1875, w <= 6.1",
        f32=(g(c32), w(c32), F("2.25") - c32, F("4.1") - c32, 8),
        f64=(g(c64), w(c64), F("2.25") - c64, F("6.1") - c64, 29),
    )
    g = lambda t: loggamma(2 + t) / t
    w = lambda t: t / loggamma(2 + t)
    half = F(1) / 2
    add(
        "Lgamma",
        "lgamma(2 + t) = t P(t), |t| <= 1/2",
        f32=(g, w, -half, half, 8),
        f64=(g, w, -half, half, 19),
    )
    g = stirling_rest
    w = lambda z: sqrt(z) / loggamma(1 / sqrt(z))
    add(
        "LgammaLarge",
        "lgamma(x) = (x - 1/2) (log x - 1) + (log(2 pi) - 1)/2 + P(1/x^2)/x; f32: x >= 4.5;"
        " f64: x >= 7.5",
        f32=(g, w, F(0), 1 / F("4.5") ** 2, 1),
        f64=(g, w, F(0), 1 / F("7.5") ** 2, 5),
    )
    root = digamma_root()
    half3 = F(3) / 2
    g = lambda t: digamma(half3 + t) / (half3 + t - root)
    w = lambda t: (half3 + t - root) / digamma(half3 + t)
    add(
        "Digamma",
        "digamma(3/2 + t) = (3/2 + t - root) P(t), |t| <= 1/2",
        f32=(g, w, -half, half, 10),
        f64=(g, w, -half, half, 24),
    )
    g = digamma_rest
    w = lambda z: z / digamma(1 / sqrt(z))
    add(
        "DigammaLarge",
        "digamma(x) = log x - 1/(2x) - P(1/x^2)/x^2; f32: x >= 4; f64: x >= 7",
        f32=(g, w, F(0), F(1) / 16, 2),
        f64=(g, w, F(0), F(1) / 49, 6),
    )
    g = trigamma_rest
    w = lambda z: z * sqrt(z) / psi(1, 1 / sqrt(z))
    add(
        "TrigammaLarge",
        "trigamma(x) = 1/x + 1/(2x^2) + P(1/x^2)/x^3; f32: x >= 4; f64: x >= 8",
        f32=(g, w, F(0), F(1) / 16, 2),
        f64=(g, w, F(0), F(1) / 64, 6),
    )
    g = tetragamma_rest
    w = lambda z: z**2 / psi(2, 1 / sqrt(z))
    add(
        "TetragammaLarge",
        "-tetragamma(x) = 1/x^2 + 1/x^3 + P(1/x^2)/x^4; f32: x >= 4; f64: x >= 8",
        f32=(g, w, F(0), F(1) / 16, 3),
        f64=(g, w, F(0), F(1) / 64, 7),
    )
    g = pentagamma_rest
    w = lambda z: z**2 * sqrt(z) / psi(3, 1 / sqrt(z))
    add(
        "PentagammaLarge",
        "pentagamma(x) = 2/x^3 + 3/x^4 + P(1/x^2)/x^5; f32: x >= 4; f64: x >= 8",
        f32=(g, w, F(0), F(1) / 16, 3),
        f64=(g, w, F(0), F(1) / 64, 7),
    )
    # The power function: the logarithm in more than the working precision.
    g = lambda f: (log1p(f) / LN2) / f
    w = lambda f: f / log1p(f)
    add(
        "PowLog2",
        "log2(1+f) = f P(f), -1/4 <= f <= 1/2, for f32 operands in f64 arithmetic",
        f64=(g, w, F(-1) / 4, F(1) / 2, 12),
    )
    g = lambda r: (2**r - 1) / r
    w = lambda r: abs(r) / 2**r
    add(
        "PowExp2",
        "2^r = 1 + r P(r), |r| <= 1/2, for f32 operands in f64 arithmetic",
        f64=(g, w, F("-0.501"), F("0.501"), 5),
    )
    g = lambda z: (2 * mp.atanh(sqrt(z)) / sqrt(z) - 2 - z * 2 / 3) / z**2
    w = lambda z: z**2
    add(
        "PowAtanh",
        "log((1+s)/(1-s)) = 2s + 2/3 s^3 + s^5 P(s^2), |s| <= 1/5",
        f64=(g, w, F(0), F(1) / 25, 8),
    )
    return out


def literal(x, bits):
    text = float(round_to(x, bits)).hex()
    if bits == 24:  # the last digits of the significand are zeros
        mantissa, exponent = text.split("p")
        text = mantissa.rstrip("0").rstrip(".") + "p" + exponent + "f"
    return text


def split(x, widths):
    """x as a sum of parts with the given numbers of significant bits."""
    parts, rest = [], mpf(x)
    for width in widths:
        p = round_to(rest, width)
        parts.append(p)
        rest -= p
    return parts


def constants():
    """(name, comment, {type: [values]}) for sums of parts and pairs."""
    ln2, inv_ln10, lg2 = LN2, 1 / log(10), log(2) / log(10)
    out = []
    full = {"f32": 24, "f64": 53}

    def pair(name, comment, x, high):
        out.append(
            (name, comment, {t: split(x, [high[t], full[t], full[t]][:2]) for t in ("f32", "f64")})
        )

    # k * high is exact: |k| has at most 8 (f32) or 11 (f64) bits.
    pair("Ln2", "ln 2 = high + low; k * high is exact for every exponent k", ln2, {"f32": 15, "f64": 41})
    pair("Log10Of2", "log10 2 = high + low; k * high is exact", lg2, {"f32": 15, "f64": 41})
    pair("Log2E", "1 / ln 2 = high + low", 1 / ln2, full)
    pair("Log10E", "1 / ln 10 = high + low", inv_ln10, full)
    pair("Ln2Full", "ln 2 = high + low", ln2, full)
    pair("HalfPi", "pi / 2 = high + low", pi / 2, full)
    pair("Pi", "pi = high + low", pi, full)
    pair("DigammaRoot", "the positive zero of digamma, less 1 = high + low", digamma_root() - 1, full)
    out.append(
        ("LgammaConstant", "(log(2 pi) - 1) / 2", {t: [round_to((log(2 * pi) - 1) / 2, full[t])] for t in full})
    )
    # With FMA, x - k*PI_1 is exact; without, the parts leave room for k.
    out.append(
        ("PiFma", "pi in parts for fused multiply-add", {"f32": split(pi, [24] * 3), "f64": split(pi, [53] * 3)})
    )
    out.append(
        (
            "PiSplit",
            "pi in parts whose product with k (13 bits in f32, 22 bits in f64) is exact",
            {"f32": split(pi, [11, 11, 11, 24]), "f64": split(pi, [31, 31, 31, 53])},
        )
    )
    out.append(("HalfPiFma", "pi / 2 in parts", {"f32": split(pi / 2, [24] * 3), "f64": split(pi / 2, [53] * 3)}))
    out.append(
        (
            "HalfPiSplit",
            "pi / 2 in parts whose product with k (13 bits in f32, 22 bits in f64) is exact",
            {"f32": split(pi / 2, [11, 11, 11, 24]), "f64": split(pi / 2, [31, 31, 31, 53])},
        )
    )
    out.append(("InvPi", "1 / pi", {t: [round_to(1 / pi, full[t])] for t in full}))
    out.append(("TwoOverPi", "2 / pi", {t: [round_to(2 / pi, full[t])] for t in full}))
    out.append(("TwoThirds", "2 / 3 = high + low", {"f64": split(F(2) / 3, [53, 53])}))
    return out


def two_over_pi_words():
    """2/pi in 64-bit words, most significant first; word 0 holds bits 2^-1 .. 2^-64."""
    with mp.workprec(1600):
        x, words = 2 / pi, []
        for _ in range(20):
            x *= mpf(2) ** 64
            wd = int(floor(x))
            words.append(wd)
            x -= wd
    return words


def run(job):
    index, t = job
    name, _, types = tables()[index]
    g, w, a, b, degree = types[t]
    coeffs, err = fit(g, w, a, b, degree, BITS[t])
    return name, t, [literal(c, BITS[t]) for c in coeffs], log2_of(err)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("-o", "--output", default=os.path.join(here, "..", "Kernels", "Coefficients.h"))
    args = parser.parse_args()

    all_tables = tables()
    jobs = [(i, t) for i, (_, _, types) in enumerate(all_tables) for t in types]
    with ProcessPoolExecutor() as pool:
        results = {(n, t): (c, e) for n, t, c, e in pool.map(run, jobs)}

    lines = [
        "// Coefficients.h - generated by coefficients/generate.py; do not edit.",
        "#ifndef LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_COEFFICIENTS_H",
        "#define LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_COEFFICIENTS_H",
        "",
        "// clang-format off",
        "namespace loss::vecmath::table {",
        "",
    ]
    ctype = {"f32": "float", "f64": "double"}
    for name, comment, types in all_tables:
        lines.append(f"/// {comment}")
        lines.append(f"struct {name} {{")
        for t in types:
            coeffs, err = results[(name, t)]
            lines.append(f"  /// Error 2^{err:.1f}.")
            lines.append(f"  static constexpr {ctype[t]} {t}[] = {{")
            step = 4 if t == "f32" else 3
            for i in range(0, len(coeffs), step):
                lines.append("      " + " ".join(c + "," for c in coeffs[i : i + step]))
            lines.append("  };")
        lines += ["};", ""]
    for name, comment, types in constants():
        lines.append(f"/// {comment}")
        lines.append(f"struct {name} {{")
        for t, values in types.items():
            body = ", ".join(literal(v, BITS[t]) for v in values)
            lines.append(f"  static constexpr {ctype[t]} {t}[] = {{{body}}};")
        lines += ["};", ""]
    lines.append("/// 2/pi in 64-bit words, most significant first; the first holds the bits 2^-1 to 2^-64.")
    lines.append("constexpr unsigned long long twoOverPiWords[] = {")
    lines += [f"    0x{wd:016x}," for wd in two_over_pi_words()]
    lines += ["};", "", "} // namespace loss::vecmath::table", "// clang-format on", "", "#endif", ""]

    temporary = args.output + ".tmp"
    with open(temporary, "w") as f:
        f.write("\n".join(lines))
    os.replace(temporary, args.output)


if __name__ == "__main__":
    main()
