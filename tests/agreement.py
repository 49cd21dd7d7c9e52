"""How nearly the statistics agree with what others computed: ``python -m tests.agreement``.

For every reference the largest relative difference (absolute where the reference is 0) over all of
its figures. The tests hold each below its tolerance; here they can be read.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike
from rich.console import Console
from rich.table import Table
from statsmodels.regression.linear_model import OLS
from statsmodels.stats import proportion

from analysis import (
    casemix,
    clustered,
    comparison,
    drivers,
    mixtures,
    proportions,
    ranks,
    reliability,
    sampling,
    shrinkage,
    strata,
    trends,
    weighting,
)
from tests.references import reference


def differences() -> Iterator[tuple[str, str, float]]:
    """What was compared, with whom, and the largest difference."""
    cases = reference("clustered_ratio")["cases"]
    for what, of in (("ratio", "estimate"), ("se", "standard_error"), ("ci_xlogit", "limits")):
        gaps = []
        for case in cases:
            a, m = np.array(case["a"], float), np.array(case["m"], float)
            found = clustered.ratio(
                *(a.sum(), m.sum(), a @ a, a @ m, m @ m, len(a)),
                population=case["population"] or None,
                interval=clustered.R_XLOGIT,
            )
            mine = [found.low, found.high] if of == "limits" else getattr(found, of)
            gaps.append(_gap(mine, case[what]))
        yield f"clustered ratio: {what}", "R survey 4.1.1", max(gaps)
    housing = reference("housing")
    for method in ("wilson", "exact"):
        found_ = proportions.interval(housing["high"], housing["n"], method=method)
        mine = np.stack([found_.low, found_.high], axis=1)
        yield f"{method} interval", "R 4.2.2", _gap(mine, housing[method])
    units = comparison.heterogeneity(housing["high"], housing["n"])
    yield (
        "heterogeneity, chi-square",
        "R 4.2.2",
        _gap(units.statistic, housing["heterogeneity"]["chi2"]),
    )
    adjusted = comparison.discoveries(housing["pairwise_p"]).adjusted_p
    yield "Benjamini–Hochberg", "R 4.2.2", _gap(adjusted, housing["pairwise_bh"])
    trend = trends.cochran_armitage(housing["influence"]["high"], housing["influence"]["n"])
    yield (
        "Cochran–Armitage, χ²",
        "R 4.2.2",
        _gap(trend.statistic**2, housing["influence"]["trend_chi2"]),
    )
    api = reference("stratified")
    rows = list(api["strata"].values())
    combined = strata.combine(
        [s["rate"] for s in rows], [s["se_fpc"] for s in rows], [s["N"] for s in rows]
    )
    mine = [combined.estimate, combined.standard_error]
    yield "stratified rate and se", "R survey 4.1.1", _gap(mine, [api["rate"], api["rate_se"]])
    # R 4.2.2, survey 4.1.1: svydesign(ids=~1, strata=~s, fpc=~N), svyciprop(method="xlogit").
    rate, size = np.array([0.75, 0.5, 0.75]), np.array([500.0, 300, 200])
    few = strata.combine(rate, np.sqrt((1 - 4 / size) * rate * (1 - rate) / 3), size, n=[4, 4, 4])
    yield (
        "stratified limits, t of the design",
        "R survey 4.1.1",
        _gap([few.low, few.high], [0.286809769675199, 0.914722026994674]),
    )
    # The constrained likelihood by optimize(), the score by uniroot(), to 7 digits.
    mees = comparison.change(48 / 80, 80, 56 / 70, 70)
    yield "Mee's difference", "R 4.2.2", _gap([mees.low, mees.high], [0.05333385, 0.3377295])
    schools = reference("poststratify_rake")
    data = schools["data"]
    kind = ["EHM".index(row["stype"]) for row in data]
    wide = [["No", "Yes"].index(row["sch.wide"]) for row in data]
    score = [row["api00"] for row in data]
    of_kind = [schools["margins"]["stype"][each] for each in "EHM"]
    of_wide = [schools["margins"]["sch.wide"][each] for each in ("No", "Yes")]
    weights = {
        "weight": [row["pw"] for row in data],
        "cluster": [row["dnum"] for row in data],
        "clusters_in_population": 757,
    }
    post = weighting.poststratify(score, kind, of_kind, **weights)
    theirs = schools["poststratified_stype"]
    yield (
        "post-stratified mean and se",
        "R survey 4.1.1",
        _gap([post.estimate, post.standard_error], [theirs["mean"], theirs["se"]]),
    )
    raked = weighting.rake(score, [kind, wide], [of_kind, of_wide], **weights)
    theirs = schools["raked"]
    yield (
        "raked mean and se (R stops earlier)",
        "R survey 4.1.1",
        _gap([raked.estimate, raked.standard_error], [theirs["mean"], theirs["se"]]),
    )
    forty = reference("beta_binomial")
    shrunk = shrinkage.beta_binomial(forty["successes"], forty["trials"])
    yield (
        "beta-binomial posterior means",
        "R VGAM 1.1.7",
        _gap(shrunk.estimate, forty["posterior_mean"]),
    )
    yield "beta-binomial rho (optimisers)", "R VGAM 1.1.7", _gap(shrunk.rho, forty["rho"])
    between = mixtures.log_likelihood(
        forty["successes"], forty["trials"], 1.7523768959, 0.3874999313
    )
    yield (
        "funnel, likelihood of units that differ",
        "R 4.2.2 integrate at lme4 1.1.31's maximum",
        _gap(between.sum(), -121.817621268),
    )
    bfi = reference("cronbach_alpha")
    alpha = reliability.cronbach_alpha(bfi["answers"])
    yield (
        "Cronbach's alpha, Feldt's limits",
        "R psych 2.2.9",
        _gap([alpha.alpha, alpha.low, alpha.high], [bfi["alpha"], *bfi["feldt"]]),
    )
    yield (
        "alpha if deleted, item-rest r",
        "R psych 2.2.9",
        _gap(
            [alpha.alpha_if_deleted, alpha.item_rest_correlation],
            [bfi["alpha_if_deleted"], bfi["item_rest_r"]],
        ),
    )
    lmg = reference("lmg")
    yield (
        "LMG shares",
        "R lm, all orderings",
        _gap(drivers.importance(lmg["x"], lmg["y"], draws=0).share, lmg["share"]),
    )
    pisa = reference("rank_sets")
    for kind_, simultaneous in (("marginal", False), ("simultaneous", True)):
        sets = ranks.confidence_sets(
            pisa["estimate"], pisa["se"], simultaneous=simultaneous, draws=20_000
        )
        off = np.abs(np.r_[sets.low - pisa[kind_]["low"], sets.high - pisa[kind_]["high"]])
        name = f"rank sets, {kind_}: ranks off, of 76 limits {int((off > 0).sum())}"
        yield name, "R csranks 1.2.2", float(off.max())
    series = reference("trends")
    gaps = [
        _gap(
            [trends.mann_kendall(case["values"]).statistic, trends.theil_sen(case["values"]).slope],
            [case["z"], case["slope"]],
        )
        for case in series["cases"]
    ]
    yield "Mann–Kendall z, Theil–Sen slope", "pymannkendall 1.4.3", max(gaps)
    seasonal = trends.mann_kendall(series["seasonal"]["values"], season=np.arange(48) % 12)
    yield (
        "seasonal Mann–Kendall z",
        "pymannkendall 1.4.3",
        _gap(seasonal.statistic, series["seasonal"]["z"]),
    )
    yield from _statsmodels()


def _statsmodels() -> Iterator[tuple[str, str, float]]:
    rng = np.random.default_rng(7)
    theirs = proportion.confint_proportions_2indep(56, 70, 48, 80, method="newcomb", compare="diff")
    mine = comparison.newcombe(48, 80, 56, 70)
    yield "Newcombe's difference", "statsmodels 0.15", _gap([mine.low, mine.high], theirs)
    power = proportion.power_proportions_2indep(-0.05, 0.85, 400).power
    yield (
        "power (statsmodels leaves out the far tail)",
        "statsmodels 0.15",
        _gap(sampling.power(0.85, 0.8, 400, 400), power),
    )
    unit = rng.integers(0, 8, 600)
    x = rng.normal(50 + 3 * unit[:, None], 10, (600, 2))
    y = 3.5 + x @ [0.02, 0.01] + rng.normal(0, 0.5, 600)
    fit = OLS(y, np.column_stack([np.eye(8)[unit], x - x.mean(axis=0)])).fit()
    found = casemix.adjust(y, unit, x)
    yield "case-mix, adjusted means", "statsmodels 0.15", _gap(found.adjusted, fit.params[:8])
    yield "case-mix, standard errors", "statsmodels 0.15", _gap(found.standard_error, fit.bse[:8])
    m = rng.integers(1, 26, 60).astype(float)
    s = m + rng.binomial(4 * m.astype(int), rng.beta(6, 2, 60))
    levels = np.concatenate([np.full(int(n), total / n) for total, n in zip(s, m, strict=True)])
    fit = OLS(levels, np.ones(len(levels))).fit(
        cov_type="cluster", cov_kwds={"groups": np.repeat(np.arange(60), m.astype(int))}
    )
    mean = clustered.mean_score(s.sum(), m.sum(), s @ s, s @ m, m @ m, 60)
    yield "mean score, clustered se", "statsmodels 0.15", _gap(mean.standard_error, fit.bse[0])


def _gap(mine: ArrayLike, theirs: ArrayLike) -> float:
    ours, other = np.asarray(mine, dtype=float), np.asarray(theirs, dtype=float)
    scale = np.where(other == 0, 1.0, np.abs(other))
    return float(np.max(np.abs(ours - other) / scale))


if __name__ == "__main__":
    table = Table("what", "reference", "largest difference")
    for what, whom, gap in differences():
        table.add_row(what, whom, f"{gap:.1e}")
    Console(width=110).print(table)
