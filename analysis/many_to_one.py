"""Critical values for comparing one unit with all others, step by step down.

With another one there are two hypotheses: it is not above, it is not below. One falls where the
studentised difference exceeds a critical value, the quantile of the largest difference under
equality; among those that still stand the largest has a smaller quantile, and so on until none
falls any more. The quantiles depend on the units through their standard errors and what stands.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import elementwise
from scipy.special import ndtr, ndtri

from analysis._validation import Floats

Integers = NDArray[np.int64]

#: Standard errors within so many per cent of one another are one class for the quadrature, which
#: moves a critical value by less than a thousandth; where few differ each is a class of its own.
_WIDTH, _FEW, _MOST_CLASSES = 0.05, 24, 200
#: Nodes and weights for one unit's own error.
_AT, _WEIGHT = np.polynomial.legendre.leggauss(28)
#: Levels of the table of critical values; standard errors for which its ends are computed.
_LEVELS, _GRID = 7, 10
#: Numbers in the largest arrays: some megabytes, so that memory hardly grows with the units.
_CHUNK = 1_000_000
_IMPOSSIBLE = -1e3


def critical(x: Floats, s: Floats, confidence: float) -> Floats:
    """Each unit's own critical value, for its differences from all others.

    Given the unit's own error z, the others are independent: all differences from it stay within c
    with probability ∫ φ(z) Π_k [Φ((c·h_k + s·z) / s_k) − Φ((s·z − c·h_k) / s_k)] dz, where
    h_k² = s² + s_k²; of a direction that fell the first term is 1 or the second is 0. Others come
    in by how many of each class of standard errors there are, so that the work is units × classes.

    Parameters
    ----------
    x, s
        Estimates and standard errors, shape (units,).

    Returns
    -------
    Floats
        Shape (units,), after the last step.

    References
    ----------
    Mogstad, Romano, Shaikh, Wilhelm (2024), Review of Economic Studies 91:476-518, algorithm 1;
    Dunnett (1955), Journal of the American Statistical Association 50:1096-1121: with equal
    estimates and standard errors these are his two-sided values (1964, Biometrics 20:482-491).

    Examples
    --------
    >>> critical(np.zeros(3), np.full(3, 0.01), 0.95).round(2)
    array([2.21, 2.21, 2.21])
    """
    class_of, size = classes(s)
    node = np.exp(np.bincount(class_of, np.log(s)) / size)
    least, most = _bracket(s, node, size, confidence)
    sorted_in = [np.sort(x[class_of == b]) for b in range(len(node))]
    found = np.empty(len(x))
    for g in range(len(node)):
        mine = np.flatnonzero(class_of == g)
        low, high = least[mine], most[mine]
        levels = np.linspace(max(low.mean() - 0.02, 0.0), high.mean() + 0.02, _LEVELS)
        z, weight = _own_error(levels)
        up, down, both = _log_probabilities(levels, z, node[g], node)
        standing = both @ (size - (np.arange(len(node)) == g))
        fallen = np.concatenate([down - both, up - both], axis=2)
        # Within a class critical values move with a unit's own standard error as the bracket does.
        moved = [end - end.mean() for end in (low, high)]
        parts = 1 + len(mine) * standing.size // _CHUNK
        for place in np.array_split(np.arange(len(mine)), parts):
            units = mine[place]
            h = np.hypot(s[units][:, None], node)
            found[units] = _stepped(
                x[units], h, sorted_in, standing, fallen, weight, levels,
                [end[place] for end in moved], confidence,
            )  # fmt: skip
    return found


def _stepped(
    x: Floats,
    h: Floats,
    sorted_in: list[Floats],
    standing: Floats,
    fallen: Floats,
    weight: Floats,
    levels: Floats,
    moved: list[Floats],
    confidence: float,
) -> Floats:
    """Step down: of some units of a class, count what fell at the last value, take the next one."""
    critical: Floats = np.full(len(x), np.inf)
    counts = np.zeros((len(x), 2 * len(sorted_in)))
    by_level = fallen.reshape(-1, counts.shape[1]).T
    while True:
        log = (counts @ by_level).reshape(len(x), *standing.shape) + standing
        held = np.einsum("ncz,cz->nc", np.exp(np.minimum(log, 0.0, out=log), out=log), weight)
        found = _crossing(levels, held, confidence)
        share = (found - levels[0]) / (levels[-1] - levels[0])
        found += moved[0] + share * (moved[1] - moved[0])
        critical = np.maximum(np.minimum(found, critical), 0.0)
        before, reach = counts.copy(), critical[:, None] * h
        for b, others in enumerate(sorted_in):
            above = len(others) - np.searchsorted(others, x + reach[:, b], side="right")
            counts[:, b] = above
            counts[:, len(sorted_in) + b] = np.searchsorted(others, x - reach[:, b], side="left")
        if (counts == before).all():
            return critical


def _crossing(levels: Floats, held: Floats, confidence: float) -> Floats:
    """Where each row of probabilities reaches the confidence; log(−log p) is all but straight."""
    y = np.log(-np.log(np.clip(held, 1e-300, 1 - 1e-15)))
    wanted = np.log(-np.log(confidence))
    j = np.clip((y > wanted).sum(axis=1) - 1, 0, len(levels) - 2)
    row = np.arange(len(y))
    step = np.minimum(y[row, j + 1] - y[row, j], -1e-9)
    crossing: Floats = levels[j] + (wanted - y[row, j]) / step * (levels[1] - levels[0])
    return crossing


def classes(s: Floats) -> tuple[NDArray[np.intp], Integers]:
    """Which class of nearly equal standard errors each unit is in, and the classes' sizes.

    Classes are in the order of their standard errors; none is empty.

    Examples
    --------
    >>> classes(np.array([0.02, 0.01, 0.02]))
    (array([1, 0, 1]), array([1, 2]))
    """
    log = np.log(s)
    width = max(_WIDTH, float(np.ptp(log)) / _MOST_CLASSES)
    key = s if len(np.unique(s)) <= _FEW else np.floor((log - log.min()) / width)
    _, class_of, size = np.unique(key, return_inverse=True, return_counts=True)
    return class_of, size


def _own_error(c: Floats) -> tuple[Floats, Floats]:
    """Nodes and weights of a unit's own error, shape (critical values, nodes).

    They lie closest about ±c: there the others, where they are far surer, step from 0 to 1.
    """
    scale, narrow, farthest = np.maximum(c, 0.5)[:, None], 0.03, 7.5
    first, last = np.arcsinh(-1 / narrow), np.arcsinh((farthest / scale - 1) / narrow)
    v = first + (last - first) * (_AT + 1) / 2
    z = scale * (1 + narrow * np.sinh(v))
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    part = density * scale * narrow * np.cosh(v) * _WEIGHT * (last - first) / 2
    return np.concatenate([-z[:, ::-1], z], axis=1), np.concatenate([part[:, ::-1], part], axis=1)


def _log_probabilities(
    c: Floats, z: Floats, own: float, node: Floats
) -> tuple[Floats, Floats, Floats]:
    """Log of the chance that one of each class is not called above, not below, neither.

    Shape (critical values, nodes of the own error, classes).
    """
    reach = c[:, None] * (np.hypot(own, node) / node)
    not_above = ndtr(reach[:, None, :] + z[:, :, None] * (own / node))
    not_below = not_above[:, ::-1]
    # What is impossible stays so times any number of units, and is 0 times none.
    up, down, both = (
        np.log(np.maximum(p, np.exp(_IMPOSSIBLE / 2)))
        for p in (not_above, not_below, not_above + not_below - 1)
    )
    return up, down, both


def _bracket(s: Floats, node: Floats, size: Integers, confidence: float) -> tuple[Floats, Floats]:
    """For each unit its critical value where one direction stands, and where all stand.

    The first is the least that stepping down could come to, since differences in one direction go
    together most. A smooth function of the standard error: computed on a grid.
    """
    grid = np.unique(np.geomspace(s.min(), s.max(), _GRID))
    nearest = np.abs(np.log(grid)[:, None] - np.log(node)).argmin(axis=1)
    others = size - (np.arange(len(node)) == nearest[:, None])

    def held(c: Floats, at: Integers, two_sided: bool) -> Floats:
        z, weight = _own_error(c)
        ratio = grid[at][:, None] / node
        p = ndtr((c[:, None] * np.hypot(1, ratio))[:, None, :] + z[:, :, None] * ratio[:, None, :])
        if two_sided:
            p = p + p[:, ::-1] - 1
        log = np.einsum("gzb,gb->gz", np.log(np.maximum(p, 1e-300)), others[at])
        short: Floats = np.einsum("gz,gz->g", np.exp(log), weight) - confidence
        return short

    found = []
    for two_sided in (False, True):
        of_one = (1 - confidence) / max(len(s) - 1, 1) / (1 + two_sided)
        bonferroni = np.full(len(grid), max(-ndtri(of_one), 0.0) + 0.01)
        root = elementwise.find_root(
            lambda c, at, two_sided=two_sided: held(c, at, two_sided),
            (np.zeros(len(grid)), bonferroni),
            args=(np.arange(len(grid)),),
            tolerances={"xatol": 1e-3},
        )
        # There is none where one direction would be told apart by its sign alone.
        at = np.where(root.success, root.x, 0.0)
        found.append(np.interp(np.log(s), np.log(grid), at))
    return found[0], found[1]
