"""Honest and stuffed responses: how probable it is that a batch holds some that no citizen gave.

A batch is a count of responses by kind. Honest ones follow the habits of their source; in a few
batches some come from a stuffing process, which has kinds of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis._validation import Floats, counts
from analysis.habits import Breadth, Habits, Ints, fit
from analysis.kinds import EVERYDAY, FORKS, KINDS, Kind, shares
from analysis.sums_of_kinds import Chain, Honest


@dataclass(frozen=True)
class Process:
    """A way of stuffing: how often beforehand, and a Dirichlet of the kinds that it makes.

    ``makes`` names the parameter of each kind that is typical of it. Others that are telling have
    ``rest``; everyday kinds it makes not at all, or an honest crowd would be taken for its own.
    """

    name: str
    weight: float
    makes: tuple[tuple[Kind, float], ...]
    rest: float = 0.02

    @property
    def alpha(self) -> Floats:
        """The Dirichlet's parameters, shape (kinds,); 0 for what it never makes."""
        of = dict(self.makes)
        return np.array([of.get(kind, 0.0 if kind in EVERYDAY else self.rest) for kind in KINDS])

    @property
    def typical(self) -> Ints:
        """Indices of the kinds that it makes most, without those that every honest source has."""
        return np.array(
            [KINDS.index(kind) for kind, of in self.makes if of >= 1 and kind not in EVERYDAY]
        )


#: Under this a probability of a kind is rounding.
_NOTHING = 1e-9
_STRANGE = np.array([kind not in EVERYDAY for kind in KINDS])

PROCESSES = (
    Process("rush", 0.2, ((Kind.RUSHED, 4.0), (Kind.INSTANT, 0.5), (Kind.PRESSED, 0.3))),
    Process(
        "presses", 0.2, ((Kind.PRESSED, 2.0), (Kind.INSTANT, 0.5), (Kind.SKIMMED, 0.3)),
    ),
    Process("dribble", 0.15, ((Kind.SKIMMED, 2.0), (Kind.INSTANT, 0.3), (Kind.PRESSED, 0.3))),
    Process("instant script", 0.1, ((Kind.INSTANT, 2.0), (Kind.EVEN, 0.3), (Kind.PRESSED, 0.2))),
    Process("even script", 0.1, ((Kind.EVEN, 2.0), (Kind.INSTANT, 0.2), (Kind.UNANIMOUS, 0.2))),
    Process("no durations", 0.05, ((Kind.UNMEASURED, 2.0),)),
    Process("copies", 0.1, ((Kind.COPIED, 2.0), (Kind.SKIMMED, 0.2))),
    Process("one sheet", 0.05, ((Kind.REPEATED, 2.0),)),
    Process("praise", 0.05, ((Kind.UNANIMOUS, 1.0), (Kind.BUNCHED, 1.0), (Kind.SKIMMED, 0.3))),
    Process("after hours", 0.05, ((Kind.AFTER_HOURS, 2.0), (Kind.SKIMMED, 0.2))),
)  # fmt: skip


@dataclass(frozen=True)
class Stuffing:
    """The parameters of the mixture.

    ``prior`` is the probability beforehand that a source-month is stuffed; how many responses then
    are is log-uniform from ``least`` to all. In an honest source-month, with probability ``play``,
    some are strange too, one more with probability ``goes_on`` each time: a child at the kiosk, a
    technician's trial, a helper in a hurry. Batches of more than ``most`` responses are weighed as
    that many. Below ``negligible`` no kinds are told apart.
    """

    prior: float = 1 / 400
    least: int = 5
    play: float = 0.05
    goes_on: float = 0.55
    most: int = 1500
    negligible: float = 1e-3
    processes: tuple[Process, ...] = PROCESSES


@dataclass(frozen=True)
class Suspicion:
    """What is suspected of each batch.

    ``probability`` (batches,) that some of it was stuffed; ``by_kind`` (batches, kinds) that a
    response of that kind in it was, 0 where there is none of that kind; ``expected`` (batches,)
    how many were; ``process`` (batches,) the index of the likeliest process.
    """

    probability: Floats
    by_kind: Floats
    expected: Floats
    process: Ints


#: Source-months of a group from which on the strangest is left out at first.
_ENOUGH = 8


def tabulate(source_month: ArrayLike, kind: ArrayLike, batches: int) -> Floats:
    """Counts of the kinds by batch, shape (batches, kinds).

    Examples
    --------
    >>> tabulate([0, 0, 1], [0, 3, 3], 2)[:, :4]
    array([[1., 0., 0., 1.],
           [0., 0., 0., 1.]])
    """
    at = np.asarray(source_month, dtype=np.intp) * len(KINDS) + np.asarray(kind, dtype=np.intp)
    found = np.bincount(at, minlength=batches * len(KINDS))
    if len(found) > batches * len(KINDS):
        raise ValueError("source_month exceeds batches")
    return found.reshape(batches, len(KINDS)).astype(np.float64)


def learn(
    counted: ArrayLike,
    group: ArrayLike,
    *,
    groups: int | None = None,
    model: Stuffing | None = None,
    breadth: Breadth | None = None,
    rounds: int = 3,
    most: int = 1000,
    trimmed: float = 0.02,
) -> Habits:
    """The habits of each group of sources, from source-months of which a few may be stuffed.

    Fitted to all but the strangest (``trimmed``), then again to all without what is suspected by
    the fit before: each source-month with its expected honest responses, and as much less weight
    as it is suspected. A group of which
    nothing is known gets the habits of all.

    Parameters
    ----------
    counted
        Shape (source-months, kinds); may be fractions, as of earlier months without what was
        suspected in them.
    group
        Shape (source-months,), numbers from 0.
    groups
        How many groups there are; by default as many as are found.
    most
        Source-months of a group that are looked at, evenly spaced among its own.
    """
    (c,) = counts(counted=counted)
    of = np.asarray(group, dtype=np.intp)
    chosen, wide = model or Stuffing(), breadth or Breadth()
    number = groups if groups is not None else int(of.max(initial=-1)) + 1
    some = c.sum(axis=1) > 0
    everyone = _fit_again(c[_spaced(np.flatnonzero(some), most)], chosen, wide, rounds, trimmed)
    beta = np.tile(everyone, (number, 1, 1))
    for g in np.unique(of[some]):
        rows = _spaced(np.flatnonzero((of == g) & some), most)
        beta[g] = _fit_again(c[rows], chosen, wide, rounds, trimmed)
    return Habits(beta, wide)


def weigh(counted: ArrayLike, priors: ArrayLike, model: Stuffing | None = None) -> Suspicion:
    r"""The probability that a batch is stuffed, by summing over all that could have happened.

    With x_k of the c_k responses of kind k strange, m = Σx, the probability of the batch is

    Σ_r ρ_r Σ_m P(m)/C(n, m) Σ_x Π_k C(c_k, x_k) · S_r(x) · H(c − x)

    where S is the Dirichlet-multinomial of process r, H the habits' (``habits.log_probability``),
    and P(m) that of ``Stuffing``, when stuffed and when honest. The inner sum is the m-th term of
    a product of polynomials, one a kind, so nothing is approximated, but: batches above ``most``
    are thinned; of a process none of whose typical kinds is there m = 0 alone counts; and where
    fewer than ``least`` responses are over what habit has of kinds that are not everyday, the
    probability is 0.

    Parameters
    ----------
    counted
        Shape (batches, kinds), whole numbers.
    priors
        Shape (batches, forks, 2): each batch's habits, as of ``Habits.of``.

    References
    ----------
    Held against the sum over all subsets of small batches, with probabilities of
    ``scipy.stats.dirichlet_multinomial`` and ``betabinom`` (tests).
    """
    chosen = model or Stuffing()
    (c,) = counts(counted=counted)
    beta = np.broadcast_to(np.asarray(priors, dtype=np.float64), (len(c), len(FORKS), 2))
    if (beta <= 0).any():
        raise ValueError("priors must lie above 0")
    if (c != np.floor(c)).any():
        raise ValueError("counted must be whole numbers")
    batches, kinds = c.shape
    probability, by_kind = np.zeros(batches), np.zeros((batches, kinds))
    process = np.zeros(batches, dtype=np.intp)
    over = np.maximum(c - usual(beta) * c.sum(axis=1, keepdims=True), 0)[:, _STRANGE].sum(axis=1)
    for i in np.flatnonzero(over >= chosen.least):
        probability[i], by_kind[i], process[i] = _one(_thinned(c[i], chosen.most), beta[i], chosen)
    expected: Floats = (c * by_kind).sum(axis=1)
    return Suspicion(probability, by_kind, expected, process)


def usual(priors: ArrayLike) -> Floats:
    """The share of each kind that habits lead to expect, (batches, kinds) of ``Habits.of``."""
    beta = np.asarray(priors, dtype=np.float64)
    return shares(beta[..., 0] / beta.sum(axis=-1))


def of_unit_months(unit_month: ArrayLike, probability: ArrayLike, unit_months: int) -> Floats:
    """1 − Π(1 − p) over the batches of each unit's month, shape (unit_months,).

    Examples
    --------
    >>> of_unit_months([0, 0, 1], [0.5, 0.5, 0.1], 2)
    array([0.75, 0.1 ])
    """
    (p,) = counts(probability=probability)
    logs = np.log1p(-np.minimum(p, 1 - 1e-16))
    at = np.asarray(unit_month, dtype=np.intp)
    found: Floats = -np.expm1(np.bincount(at, weights=logs, minlength=unit_months))
    return found


def _trimmed(c: Floats, part: float) -> Floats:
    """Weights (source-months,): 0 for that part of them with the largest share of strange ones."""
    share = c[:, _STRANGE].sum(axis=1) / np.maximum(c.sum(axis=1), 20.0)
    weight = np.ones(len(c))
    weight[np.argsort(-share, kind="stable")[: int(np.ceil(part * len(c)))]] = 0.0
    return weight if len(c) >= _ENOUGH else np.ones(len(c))


def _fit_again(c: Floats, model: Stuffing, wide: Breadth, rounds: int, trimmed: float) -> Floats:
    beta = fit(c, _trimmed(c, trimmed), wide)
    for _ in range(rounds - 1):
        found = weigh(np.round(c), beta, model)
        beta = fit(c * (1 - found.by_kind), 1 - found.probability, wide)
    return beta


def _spaced(rows: Ints, most: int) -> Ints:
    """At most that many of the rows, evenly spaced."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.intp)]


def _thinned(c: Floats, most: int) -> Ints:
    total = c.sum()
    if total > most:
        c = np.floor(c * most / total + 0.5)
    return c.astype(np.intp)


def _one(c: Ints, beta: Floats, model: Stuffing) -> tuple[float, Floats, int]:
    """Probability, probability by kind and likeliest process of one batch."""
    n = int(c.sum())
    stuffed, strange = _numbers(n, model)
    honest = Honest.of(c, beta)
    weight = np.array([process.weight for process in model.processes])
    logs = np.full((len(weight), n + 1), -np.inf)
    logs[:, 0] = honest.log_probability
    chains: dict[int, Chain] = {}
    for r, process in enumerate(model.processes):
        if c[process.typical].any():
            chains[r] = Chain.of(honest, process.alpha)
            logs[r] = chains[r].logs
    logs += np.log(weight / weight.sum())[:, None]
    with np.errstate(divide="ignore"):
        guilty = logs + np.log(model.prior * stuffed)
        innocent = logs + np.log((1 - model.prior) * strange)
    highest = max(guilty.max(), innocent.max())
    guilty = np.exp(guilty - highest)
    by_process = guilty.sum(axis=1)
    total = by_process.sum() + np.exp(innocent - highest).sum()
    probability = float(by_process.sum() / total)
    by_kind = np.zeros(len(c))
    if probability >= model.negligible:
        for r, chain in chains.items():
            if by_process[r] > 1e-4 * by_process.sum():
                by_kind += chain.strange(guilty[r] / total)
        by_kind /= np.maximum(c, 1)
        by_kind[by_kind < _NOTHING] = 0.0
    return probability, by_kind, int(by_process.argmax())


def _numbers(n: int, model: Stuffing) -> tuple[Floats, Floats]:
    """How probable it is that m of n are strange: in a stuffed batch, and in an honest one."""
    m = np.arange(n + 1)
    stuffed = np.where(m >= model.least, 1 / np.maximum(m, 1), 0.0)
    strange = np.where(m > 0, model.play * (1 - model.goes_on) * model.goes_on ** (m - 1.0), 0.0)
    strange[0] = 1 - strange[1:].sum()
    return stuffed / max(stuffed.sum(), 1e-300), strange
