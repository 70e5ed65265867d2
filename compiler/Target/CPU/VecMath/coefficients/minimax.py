"""Weighted minimax polynomials with rounded coefficients (mpmath, discrete Remez exchange).

fit() finds p(t) = sum c_j t^j that minimises max |(g(t) - p(t)) * w(t)| over a dense Chebyshev grid
of [a, b]. Coefficients are rounded to the target format one after another, lowest first; after each
rounding the remaining ones are fitted again, so that they absorb the rounding error.
"""

from mpmath import mp, mpf, cos, pi, log

mp.dps = 50


def round_to(x, bits):
    """x rounded to nearest with `bits` bits of significand (normal range)."""
    with mp.workprec(bits):
        return +mpf(x)


def _solve(rows, rhs):
    """Gaussian elimination with partial pivoting."""
    n = len(rhs)
    m = [list(r) + [b] for r, b in zip(rows, rhs)]
    for i in range(n):
        p = max(range(i, n), key=lambda k: abs(m[k][i]))
        m[i], m[p] = m[p], m[i]
        inv = 1 / m[i][i]
        for k in range(i + 1, n):
            f = m[k][i] * inv
            if f:
                mk, mi = m[k], m[i]
                for j in range(i + 1, n + 1):
                    mk[j] -= f * mi[j]
    x = [mpf(0)] * n
    for i in reversed(range(n)):
        s = m[i][n]
        for j in range(i + 1, n):
            s -= m[i][j] * x[j]
        x[i] = s / m[i][i]
    return x


def _extrema(err, count):
    """Indices of `count` alternating local extrema of err, or None."""
    segs = []
    for i, e in enumerate(err):
        s = e > 0
        if segs and segs[-1][1] == s:
            if abs(e) > abs(err[segs[-1][0]]):
                segs[-1] = (i, s)
        else:
            segs.append((i, s))
    idx = [i for i, _ in segs]
    while len(idx) > count:
        if len(idx) == count + 1 or count < 2:
            idx.pop(0 if abs(err[idx[0]]) < abs(err[idx[-1]]) else -1)
        else:  # drop the adjacent pair with the smallest extremum, keeping the alternation
            k = min(range(len(idx) - 1), key=lambda i: max(abs(err[idx[i]]), abs(err[idx[i + 1]])))
            if k == 0:
                idx.pop(0)
            elif k == len(idx) - 2:
                idx.pop(-1)
            else:
                del idx[k : k + 2]
    return idx if len(idx) == count else None


class Grid:
    """Chebyshev grid of [a, b] (never 0 itself) with g and w tabulated once."""

    def __init__(self, g, w, a, b, points):
        a, b = mpf(a), mpf(b)
        ts = [(a + b) / 2 - (b - a) / 2 * cos(pi * i / (points - 1)) for i in range(points)]
        self.t = [t for t in ts if abs(t) > mpf(10) ** -9 * (b - a)]
        self.g = [g(t) for t in self.t]
        self.w = [w(t) for t in self.t]


def _error(grid, coeffs):
    out = []
    for t, g, w in zip(grid.t, grid.g, grid.w):
        p = mpf(0)
        for c in reversed(coeffs):
            p = p * t + c
        out.append((g - p) * w)
    return out


def _remez(grid, fixed, degree, ref):
    """Best c_m..c_degree with c_0..c_{m-1} = fixed. Returns coefficients and reference points."""
    m = len(fixed)
    count = degree - m + 2
    n = len(grid.t)
    if ref is None or len(ref) != count:
        ref = [int((1 - cos(pi * i / (count - 1))) / 2 * (n - 1)) for i in range(count)]
    best = None
    for _ in range(25):
        rows, rhs = [], []
        for k, i in enumerate(ref):
            t, w = grid.t[i], grid.w[i]
            row, pw = [], w * t**m
            for _j in range(m, degree + 1):
                row.append(pw)
                pw *= t
            row.append(mpf(-1) ** k)
            p = mpf(0)
            for c in reversed(fixed):
                p = p * t + c
            rows.append(row)
            rhs.append((grid.g[i] - p) * w)
        x = _solve(rows, rhs)
        coeffs = list(fixed) + x[:-1]
        err = _error(grid, coeffs)
        top = max(abs(e) for e in err)
        if best is None or top < best[0]:
            best = (top, coeffs, ref)
        if top <= abs(x[-1]) * mpf("1.001"):
            break
        ref = _extrema(err, count)
        if ref is None:
            break
    return best[1], best[2]


def fit(g, w, a, b, degree, bits, points=None):
    """Rounded coefficients [c_0 .. c_degree] and the maximal weighted error of what was rounded."""
    grid = Grid(g, w, a, b, points or 24 * (degree + 2))
    fixed, ref = [], None
    while len(fixed) <= degree:
        coeffs, ref = _remez(grid, fixed, degree, ref)
        ref = ref[1:]
        fixed.append(round_to(coeffs[len(fixed)], bits))
    err = max(abs(e) for e in _error(grid, fixed))
    return fixed, err


def log2_of(err):
    return float(log(err, 2)) if err else float("-inf")
