"""What the votes say: pure functions on arrays, arrays in, frozen dataclasses out.

tally.py          Tally: counts by ordered pair and level of answer
posterior.py      Posterior(mean, cov, prior_sd, log_evidence): leader, sd, draws(n, rng); average(posteriors)
bradley_terry.py  fit_by_evidence(wins, prior_mean, similarity, start) -> Posterior: fast, over all widths
                  fit_strengths(wins, prior_sd, prior_mean, similarity, start) -> Posterior: at a given width
cells.py          Cells: counts by input, rater, ordered pair and level; from_rows, from_tally, pooled
model.py          fit(cells, covariance, lengths, bias_sd, input_sds, prior_sds, with_reliability, answers)
                  -> Fit: the full model: position bias, inputs, ties, grades, raters, length; its parts are
                  in likelihood.py (answer models), system.py (data laid out), newton.py (the solver) and
                  widths.py (prior widths)
priors.py         by_similarity(features, weight), by_lineage(parents, own, inherited) -> covariance
pair_effects.py   choose_pair_effects(votes) -> PairPosterior: strengths and an own effect of each pair
pair_grades.py    graded_meetings(tally, similarity) -> Meetings: clearly, slightly, equal for the same model
readouts.py       p_best(draws), strengths(posterior, level), rank_distribution(draws),
                  rank_range(draws, level), chance_against_pool(draws, level), expected_regret(draws, arm),
                  preference_matrix(posterior), interval_of_chance(posterior, first, second, level)
winners.py        condorcet(P), copeland(P), borda(P), von_neumann(P) -> mixture, shares(wins) -> P
cycles.py         check_cycles(wins, rng, margin) -> CycleCheck: is a circle of preferences real?
agreement.py      agreement(one, other), self_agreement, first_rate -> Rate; cohen_kappa(one, other),
                  krippendorff_alpha(ratings, rng, level) -> Coefficient
stopping.py       advise(posterior, votes, rng, confidence, margin, cycles, draws, forecast) -> Advice
forecast.py       votes_to_decision(posterior, rng, confidence, margin): about how many votes are still needed
"""
