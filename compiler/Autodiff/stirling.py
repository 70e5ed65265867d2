#!/usr/bin/env python3
"""Prints the coefficients of SpecialFunctions.cpp for Stirling's formula (needs mpmath 1.3).

With d(z) = lgamma(z) - (z - 1/2) log z + z - log(2 pi) / 2, the second derivative d'' is interpolated at
Chebyshev's points and integrated twice, so that d, d' and d'' all have its accuracy:

    kStirlingFar    d(1/t) = t P(t^2),      z from 2
    kStirlingNear   d(3/2 + u) = P(u),      z from 1 to 2
"""

from mpmath import mp, mpf, cos, digamma, log, loggamma, lu_solve, matrix, pi, polyval, psi, sqrt

mp.dps = 70


def error(z):
    return loggamma(z) - (z - mpf(1) / 2) * log(z) + z - log(2 * pi) / 2


def slope(z):
    return digamma(z) - log(z) + 1 / (2 * z)


def curvature(z):
    return psi(1, z) - 1 / z - 1 / (2 * z * z)


def interpolate(f, low, high, degree):
    """The coefficients of the polynomial that is f at Chebyshev's points."""
    n = degree + 1
    points = [(low + high + (high - low) * cos(pi * (k + mpf(1) / 2) / n)) / 2 for k in range(n)]
    powers = matrix(n, n)
    for i, x in enumerate(points):
        for j in range(n):
            powers[i, j] = x**j
    return lu_solve(powers, matrix([f(x) for x in points]))


def far(degree):
    curve = interpolate(lambda w: curvature(1 / sqrt(w)) / sqrt(w) ** 3, mpf(0), mpf(1) / 4, degree)
    return [c / ((2 * j + 1) * (2 * j + 2)) for j, c in enumerate(curve)]


def near(degree):
    middle = mpf(3) / 2
    curve = interpolate(lambda u: curvature(middle + u), -mpf(1) / 2, mpf(1) / 2, degree - 2)
    integral = [c / ((j + 1) * (j + 2)) for j, c in enumerate(curve)]
    return [error(middle), slope(middle)] + integral


def show(name, coefficients, value, points):
    rounded = [float(c) for c in coefficients]
    off = max(abs(value(rounded, z) / error(z) - 1) for z in points)
    print(f"/// Relative error {float(off):.1e}.")
    print(f"constexpr double {name}[] = {{\n    {', '.join(map(repr, rounded))}}};")


def main():
    show("kStirlingFar", far(21), lambda c, z: polyval(c[::-1], 1 / z**2) / z,
         [600 / mpf(k) for k in range(1, 301)])
    show("kStirlingNear", near(24), lambda c, z: polyval(c[::-1], z - mpf(3) / 2),
         [1 + k / mpf(300) for k in range(301)])


if __name__ == "__main__":
    main()
