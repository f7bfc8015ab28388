//! How good an order is: pure functions over places and scores.

/// The cut-offs of recall.
pub const CUTS: [usize; 4] = [1, 3, 5, 10];

/// One host with an attack: where its services stand.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The place of each planted service, from 1; absent where it has no row.
    pub places: Vec<Option<usize>>,
    /// How much it matters: 1, or 0.5 where administrators leave the same.
    pub relevance: f64,
}

/// How good the order is over several hosts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Hosts.
    pub hosts: usize,
    /// Mean reciprocal rank of the best planted service.
    pub mrr: f64,
    /// The part of the hosts whose best planted service is among the first 1, 3, 5, 10.
    pub recall: [f64; 4],
    /// Average precision, the mean over hosts, each with its relevance.
    pub average_precision: f64,
}

impl Case {
    /// The place of the best planted service.
    pub fn best(&self) -> Option<usize> {
        self.places.iter().flatten().min().copied()
    }

    /// The mean, over the planted services, of the part of the list down to each that is planted. One without a row
    /// adds nothing.
    pub fn average_precision(&self) -> f64 {
        let mut places: Vec<usize> = self.places.iter().flatten().copied().collect();
        places.sort_unstable();
        let found = (1_usize..).zip(&places).map(|(found, place)| ratio(found, *place));
        let sum: f64 = found.sum();
        if self.places.is_empty() { 0.0 } else { sum / float(self.places.len()) }
    }
}

impl Quality {
    /// Over these hosts; all zero where there are none.
    pub fn of<'a>(cases: impl IntoIterator<Item = &'a Case>) -> Self {
        let cases: Vec<&Case> = cases.into_iter().collect();
        let hosts = cases.len();
        let best = || cases.iter().filter_map(|case| case.best());
        let mrr = best().map(|place| ratio(1, place)).sum::<f64>();
        let recall = CUTS.map(|cut| ratio(best().filter(|place| *place <= cut).count(), hosts));
        let relevance: f64 = cases.iter().map(|case| case.relevance).sum();
        let precise = cases.iter().map(|case| case.average_precision() * case.relevance);
        let precise: f64 = precise.sum();
        Self {
            hosts,
            mrr: if hosts == 0 { 0.0 } else { mrr / float(hosts) },
            recall,
            average_precision: if relevance > 0.0 { precise / relevance } else { 0.0 },
        }
    }
}

/// The lower ends of the bins of scores in decibans; what is below the first is a bin of its own.
pub const BINS: [i32; 6] = [0, 10, 20, 27, 35, 50];

/// Services of one range of scores.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bin {
    /// Services.
    pub services: usize,
    /// Planted ones among them.
    pub planted: usize,
    /// The sum of the probabilities that their scores stand for.
    expected: f64,
}

impl Bin {
    /// Adds services of one score.
    pub fn add(&mut self, score: i32, services: usize, planted: usize) {
        self.services = self.services.saturating_add(services);
        self.planted = self.planted.saturating_add(planted);
        self.expected += probability(score) * float(services);
    }

    /// Joins two counts of one range.
    pub fn join(&mut self, other: &Self) {
        self.services = self.services.saturating_add(other.services);
        self.planted = self.planted.saturating_add(other.planted);
        self.expected += other.expected;
    }

    /// The mean probability that the scores stand for.
    pub fn said(&self) -> f64 {
        if self.services == 0 { 0.0 } else { self.expected / float(self.services) }
    }

    /// The part that is planted.
    pub fn found(&self) -> f64 {
        ratio(self.planted, self.services)
    }
}

/// The bin of a score: 0 is below all.
pub fn bin(score: i32) -> usize {
    BINS.iter().take_while(|low| score >= **low).count()
}

/// The probability of malice that a score stands for, with one malicious service in 500.
pub fn probability(score: i32) -> f64 {
    let exponent = -(f64::from(score) - 27.0) / 10.0;
    1.0 / (1.0 + 10_f64.powf(exponent))
}

/// A count as a number; exact up to 2^32.
pub fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// A part of a whole; 0 of nothing.
pub fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { float(part) / float(whole) }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "sums of halves and quarters are exact")]
mod tests {
    use super::*;

    fn case(places: &[usize], unseen: usize, relevance: f64) -> Case {
        let places = places.iter().copied().map(Some);
        Case { places: places.chain(std::iter::repeat_n(None, unseen)).collect(), relevance }
    }

    #[test]
    fn average_precision_is_the_mean_of_precision_at_each_find() {
        for (places, unseen, expected) in [
            (&[1][..], 0, 1.0),
            (&[4], 0, 0.25),
            (&[1, 2], 0, 1.0),
            (&[4, 2], 0, 0.5),
            (&[1], 1, 0.5),
            (&[], 1, 0.0),
            (&[], 0, 0.0),
        ] {
            assert_eq!(case(places, unseen, 1.0).average_precision(), expected, "{places:?}");
        }
    }

    #[test]
    fn the_best_place_counts_and_dual_use_weighs_half_in_precision() {
        let cases =
            [case(&[1, 9], 0, 1.0), case(&[2], 0, 1.0), case(&[4], 0, 1.0), case(&[], 1, 1.0)];
        let quality = Quality::of(&cases);
        assert_eq!((quality.hosts, quality.mrr), (4, (1.0 + 0.5 + 0.25) / 4.0));
        assert_eq!(quality.recall, [0.25, 0.5, 0.75, 0.75]);
        let cases = [case(&[1], 0, 1.0), case(&[2], 0, 0.5)];
        assert_eq!(Quality::of(&cases).average_precision, (1.0 + 0.25) / 1.5);
        assert_eq!(Quality::of(&[]).mrr, 0.0);
    }

    #[test]
    fn scores_stand_for_probabilities_and_fall_into_bins() {
        assert_eq!(probability(27), 0.5);
        assert!((probability(37) - 10.0 / 11.0).abs() < 1e-12);
        for (score, expected) in [(-20, 0), (0, 1), (9, 1), (10, 2), (34, 4), (35, 5), (90, 6)] {
            assert_eq!(bin(score), expected, "{score}");
        }
        let mut one = Bin::default();
        one.add(27, 3, 1);
        one.join(&one.clone());
        assert_eq!((one.services, one.planted, one.said(), one.found()), (6, 2, 0.5, 1.0 / 3.0));
        assert_eq!(Bin::default().said(), 0.0);
    }
}
