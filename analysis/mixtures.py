"""How the true rates of units are spread: normal on the logit scale, and seen by few answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import interpolate, special

from analysis._validation import Floats, at_most, counts

#: Shares of units that may be unlike the others, and how likely each of them is beforehand.
_SHARES, _SHARE_PRIOR = np.array([0.0, 0.04, 0.15]), np.array([0.5, 0.35, 0.15])
#: How far off, in logits, such a unit lies where the others hardly differ: some √2 times this.
_OFF = 0.7
#: Scale of the half-normal prior of τ, in logits.
_TAU_SCALE = 0.5
#: The finest and the coarsest step between logits, and the most of them.
_STEP, _MOST_POINTS = (0.004, 0.02), 1200
#: Up to which τ the likelihood is looked at, at how many values, and again where it counts.
_MOST_TAU, _COARSE, _FINE = 2.0, 21, 13
#: Logarithms of likelihood below the highest that count for nothing, whichever unit is left out.
_NEGLIGIBLE = 14.0
#: Standard deviations of a spread that its nodes reach out to.
_REACH = 6.0
#: Units at a time, so that memory does not grow with all of them at once.
_BLOCK = 1000


@dataclass(frozen=True)
class Spread:
    """Distributions of a true rate, as mass at a few logits.

    ``logit`` has shape (nodes,), ``weight`` (distributions, nodes), each row adding up to 1. The
    mass stands for a smooth distribution by cubic interpolation, so entries may be negative.
    """

    logit: Floats
    weight: Floats


@dataclass(frozen=True)
class Mixture:
    """What units have in common, learnt from them.

    ``centre`` is the rate of the unit in the middle; ``tau`` the standard deviation between units
    on the logit scale (posterior median), ``tau_low`` to ``tau_high`` its 95 % interval.
    ``others`` has a row a unit, the distribution of its true rate by what all *others* say;
    ``newcomer`` has one row, that of a unit of which nothing is known.
    """

    centre: float
    tau: float
    tau_low: float
    tau_high: float
    others: Spread
    newcomer: Spread


def log_likelihood(successes: ArrayLike, trials: ArrayLike, mu: float, tau: float) -> Floats:
    """Log-probability of each unit's answers where true logits are normal(mu, tau).

    Parameters
    ----------
    successes, trials
        Any one shape; may be fractions.
    mu, tau
        Mean and standard deviation of the units' logits; tau above 0.

    Raises
    ------
    ValueError
        For impossible counts, or tau that is not above 0.

    References
    ----------
    Integrated by the trapezoid rule over ±9 standard deviations. Over 40 units its sum and where
    it is highest equal R lme4 1.1.31 ``glmer(family = binomial, nAGQ = 25)``.

    Examples
    --------
    >>> log_likelihood([8, 3], [10, 3], 1.7, 0.2).round(3)
    array([-1.293, -0.507])
    """
    k, n = counts(successes=successes, trials=trials)
    at_most("successes", k, "trials", n)
    if not tau > 0:
        raise ValueError(f"tau must lie above 0, not {tau}")
    theta = np.linspace(mu - 9 * tau, mu + 9 * tau, 1441)
    seen = _seen(k, n, theta)
    most = seen.max(axis=-1, keepdims=True)
    like = np.exp(seen - most) @ _normal(theta, np.array([mu]), np.array([tau]))
    coefficient = -np.log1p(n) - special.betaln(k + 1, n - k + 1)
    found: Floats = np.log(like[..., 0]) + most[..., 0] + coefficient
    return found


def mixture(successes: ArrayLike, trials: ArrayLike, *, target: float | None = None) -> Mixture:
    r"""The spread of true rates between units, and for each unit without its own answers.

    Units' logits are normal(μ, τ), save a share ε that are unlike the others and shun their
    middle: density ∝ δ²·normal(δ; 0, ω) at a distance δ from μ, with ω² = 0.7² + (2τ)². Given its
    rate a unit's answers are binomial. What is not known is averaged over and not plugged in: unit
    i's distribution is ∫ normal(μ, τ) dP(μ, τ, ε | all others). So the units that are looked for
    are no part of what they are judged by, twenty units make no sharper a yardstick than they are,
    and some that lie far off do not widen it: they are taken for unlike, and each unit is measured
    against the like. Nothing is cut off that would have to be compensated: where no unit is
    unlike, ε goes to 0.

    Parameters
    ----------
    successes, trials
        Shape (units,), trials above 0; may be effective numbers (fractions).
    target
        The spread is put around this rate in place of the units' own middle; τ is learnt around
        their own middle all the same.

    Raises
    ------
    ValueError
        For impossible counts, no unit, a unit without trials, a target outside (0, 1).

    References
    ----------
    Leave-one-out predictive distributions: Marshall and Spiegelhalter (2007), Bayesian Analysis
    2:409-444; Ohlssen, Sharples, Spiegelhalter (2007), JRSS A 170:865-890. Priors: half-normal
    with scale 0.5 for τ (Röver et al. 2021, Research Synthesis Methods 12:448-474), Jeffreys's for
    expit μ, and ε 0, 0.04 or 0.15 with probability 0.5, 0.35, 0.15; density that shuns the middle:
    Johnson and Rossell (2010), JRSS B 72:143-170. Integrals are sums over grids of
    θ, μ, τ and ε; checked against sums over other grids and R's ``integrate``.

    Examples
    --------
    >>> found = mixture([88, 45, 180, 90], [100, 50, 240, 100])
    >>> round(found.centre, 2), found.others.weight.shape[0]
    (0.86, 4)
    """
    k, n = counts(successes=successes, trials=trials)
    at_most("successes", k, "trials", n)
    if not len(n) or (n <= 0).any():
        raise ValueError("trials must be above 0 in every unit, of which there must be some")
    if target is not None and not 0 < target < 1:
        raise ValueError(f"target must lie between 0 and 1, not {target}")
    own = special.logit((k + 0.5) / (n + 1))
    middle = float(np.median(own))
    pooled = float((k.sum() + 0.5) / (n.sum() + 1))
    reach = float(np.clip(12 * np.median(np.abs(own - middle)), 3.0, 8.0))
    # More answers than the steps can tell apart say no more.
    kept = np.minimum(1.0, 1 / (pooled * (1 - pooled) * (2 * _STEP[0]) ** 2 * n))
    k, n = k * kept, n * kept
    sharpest = float(1 / np.sqrt(n.max() * pooled * (1 - pooled)))
    step = max(float(np.clip(sharpest / 2, *_STEP)), 2 * reach / _MOST_POINTS)
    offset: Floats = step * np.arange(-round(reach / step), round(reach / step) + 1.0)
    seen = _Seen.of(k, n, middle + offset)
    prior, mu, tau = _grid(seen, middle, step)
    core = _normal(seen.theta, mu, tau)
    logs = seen.logs(core, _unlike(seen.theta, mu, tau))
    total = prior + np.log(_SHARE_PRIOR)[:, None] + sum(each.sum(axis=0) for each in logs)
    known = _posterior(total[None])[0]
    centre = float(known @ mu)
    interval = _quantiles(known, tau)
    theta = seen.theta
    if target is not None:
        mu = np.full_like(tau, special.logit(target))
        theta = float(special.logit(target)) + offset
        core = _normal(theta, mu, tau)
    around = float(known @ mu)
    deviation = float(np.sqrt(known @ (tau**2 + (mu - around) ** 2)))
    logit, shape = _nodes(theta, core, around, deviation, sharpest)
    others = np.concatenate([_posterior(total - each) @ shape for each in logs])
    return Mixture(
        float(special.expit(centre)),
        *interval,
        others=Spread(logit, others),
        newcomer=Spread(logit, known[None] @ shape),
    )


def alike(successes: ArrayLike, trials: ArrayLike) -> Spread:
    """Of units that differ by chance only, their rate by what all others say, a row a unit.

    The posterior of a common rate under Jeffreys's prior, Beta(½ + Σk, ½ + Σ(n − k)) over the
    others. The arguments are those of ``mixture``.

    Examples
    --------
    >>> found = alike([88, 45, 180], [100, 50, 240])
    >>> (found.weight @ special.expit(found.logit)).round(3), round((45 + 180 + 0.5) / 291, 3)
    (array([0.775, 0.787, 0.884]), 0.775)
    """
    k, n = counts(successes=successes, trials=trials)
    at_most("successes", k, "trials", n)
    a = (k.sum() - k + 0.5)[:, None]
    b = (n.sum() - n - (k.sum() - k) + 0.5)[:, None]
    mean = special.digamma(a) - special.digamma(b)
    deviation = np.sqrt(special.polygamma(1, a) + special.polygamma(1, b))
    low, high = (mean - 8 * deviation).min(), (mean + 8 * deviation).max()
    nodes = np.clip(np.ceil(2 * (high - low) / deviation.min()), 32, _MOST_POINTS)
    logit = np.linspace(low, high, int(nodes) + 1)
    density = a * special.log_expit(logit) + b * special.log_expit(-logit)
    weight = np.exp(density - density.max(axis=1, keepdims=True))
    return Spread(logit, weight / weight.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class _Seen:
    """P(answers | θ) of units at equally spaced logits, each unit's highest 1, in blocks."""

    theta: Floats
    blocks: list[Floats]
    units: int

    @classmethod
    def of(cls, k: Floats, n: Floats, theta: Floats) -> _Seen:
        blocks = []
        for start in range(0, len(k), _BLOCK):
            part = slice(start, start + _BLOCK)
            seen = _seen(k[part], n[part], theta)
            seen -= seen.max(axis=1, keepdims=True)
            blocks.append(np.exp(seen, out=seen))
        return cls(theta, blocks, len(k))

    def logs(self, core: Floats, unlike: Floats, shares: Floats = _SHARES) -> list[Floats]:
        """Log-likelihood of each unit by share and hyperparameter, (units, shares, normals)."""
        share = shares[:, None]
        return [
            np.log(
                (1 - share) * (block @ core)[:, None] + share * (block @ unlike)[:, None] + 1e-300
            )
            for block in self.blocks
        ]


def _grid(seen: _Seen, middle: float, step: float) -> tuple[Floats, Floats, Floats]:
    """Log-prior, μ and τ at the points that are averaged over: _FINE of τ times some of μ."""
    widest = (seen.theta[-1] - seen.theta[0]) / 6
    coarse = np.geomspace(step, min(_MOST_TAU, widest), _COARSE)
    best, deviation, height = _profile(seen, coarse, middle)
    height = height + np.log(deviation) + _tau_prior(coarse)
    course = interpolate.make_interp_spline(
        np.log(coarse), np.stack([height, best, np.log(deviation)], axis=1)
    )
    between = np.geomspace(coarse[0], coarse[-1], 20 * _COARSE)
    height = course(np.log(between))[:, 0]
    counting = between[height > height.max() - _NEGLIGIBLE]
    # Even in √τ: where units hardly differ most is decided near 0.
    root = np.linspace(np.sqrt(counting[0]), np.sqrt(counting[-1]), _FINE)
    ends = np.ones(_FINE)
    ends[[0, -1]] = 0.5
    tau, ends = root**2, ends * 2 * root
    if counting[0] == coarse[0]:
        # The least of τ stands for those down to 0 too, which no answers could tell from it.
        ends[0] += tau[0] / (root[1] - root[0])
    _, best, deviation = course(np.log(tau)).T
    deviation = np.exp(deviation)
    # The fewer units, the farther one that is left out moves the middle.
    far = int(np.ceil(3.5 + 8 / np.sqrt(seen.units)))
    nodes = np.arange(-far, far + 1.0)
    mu = (best[:, None] + deviation[:, None] * nodes).ravel()
    prior = np.log(ends) + np.log(deviation) + _tau_prior(tau)
    return np.repeat(prior, len(nodes)) + _mu_prior(mu), mu, np.repeat(tau, len(nodes))


def _profile(seen: _Seen, tau: Floats, middle: float) -> tuple[Floats, Floats, Floats]:
    """For each τ the best μ, its standard deviation, and the height there; by Newton's steps."""
    mu, deviation = np.full(len(tau), middle), np.full(len(tau), 0.1)
    for _ in range(8):
        aside = 0.3 * deviation
        three = np.concatenate([mu - aside, mu, mu + aside])
        core = _normal(seen.theta, three, np.tile(tau, 3))
        unlike = _unlike(seen.theta, three, np.tile(tau, 3))
        logs = seen.logs(core, unlike, _SHARES[1:2])
        height = _mu_prior(three) + sum(each.sum(axis=(0, 1)) for each in logs)
        left, at, right = height.reshape(3, -1)
        bend = (left - 2 * at + right) / aside**2
        deviation = 1 / np.sqrt(np.maximum(-bend, 0.04))
        move = np.clip((right - left) / (2 * aside) * deviation**2, -0.5, 0.5)
        mu = mu + move
        if (np.abs(move) < 0.1 * deviation).all():
            break
    return mu, deviation, at


def _nodes(
    theta: Floats, mass: Floats, middle: float, deviation: float, sharpest: float
) -> tuple[Floats, Floats]:
    """Fewer logits, and each distribution's mass at them: (nodes,), (distributions, nodes).

    What is smooth is summed over them as over all, for what a spline through the nodes misses of
    a unit's tail probability is nothing as long as they lie denser than it is steep.
    """
    stride = min(0.5 * deviation, 0.7 * sharpest)
    half = int(np.clip(np.ceil(_REACH * deviation / stride), 12, 60))
    logit = middle + np.linspace(-_REACH, _REACH, 2 * half + 1) * deviation
    spline = interpolate.make_interp_spline(logit, np.eye(len(logit)))
    return logit, mass.T @ spline(np.clip(theta, logit[0], logit[-1]))


def _seen(k: Floats, n: Floats, theta: Floats) -> Floats:
    """log P(k | θ) but for the coefficient."""
    found: Floats = k[..., None] * theta - n[..., None] * np.logaddexp(0.0, theta)
    return found


def _normal(theta: Floats, mu: Floats, tau: Floats) -> Floats:
    """Mass of normals at equally spaced points, shape (points, normals)."""
    mass = np.exp(-0.5 * ((theta[:, None] - mu) / tau) ** 2)
    found: Floats = mass / np.maximum(mass.sum(axis=0), 1e-300)
    return found


def _unlike(theta: Floats, mu: Floats, tau: Floats) -> Floats:
    """Mass of units unlike the others, which shun their middle: δ² times a normal density."""
    wide = np.sqrt(_OFF**2 + (2 * tau) ** 2)
    mass = _normal(theta, mu, wide) * ((theta[:, None] - mu) / wide) ** 2
    found: Floats = mass / np.maximum(mass.sum(axis=0), 1e-300)
    return found


def _quantiles(known: Floats, tau: Floats) -> tuple[float, float, float]:
    """Median and 95 % limits of τ; 0 is the lower one where the least of τ is not refuted."""
    at = tau.reshape(_FINE, -1)[:, 0]
    mass = known.reshape(_FINE, -1).sum(axis=1)
    middle, low, high = np.interp([0.5, 0.025, 0.975], np.cumsum(mass) - mass / 2, at)
    return float(middle), 0.0 if low <= at[0] else float(low), float(high)


def _mu_prior(mu: Floats) -> Floats:
    found: Floats = 0.5 * (special.log_expit(mu) + special.log_expit(-mu))
    return found


def _tau_prior(tau: Floats) -> Floats:
    return -0.5 * (tau / _TAU_SCALE) ** 2


def _posterior(logs: Floats) -> Floats:
    """Probabilities of the hyperparameters, summed over the shares, shape (units, normals)."""
    found = np.exp(logs - logs.max(axis=(1, 2), keepdims=True)).sum(axis=1)
    probability: Floats = found / found.sum(axis=1, keepdims=True)
    return probability
