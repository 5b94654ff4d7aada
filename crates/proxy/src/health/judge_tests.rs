//! Trials before the judge, at times of the test's choosing.

use http::StatusCode;

use super::super::tally::{Happened, Rules};
use super::*;

struct Court {
    judge: Judge,
    endpoints: Vec<Arc<EndpointState>>,
    now: Instant,
    random: fastrand::Rng,
}

impl Court {
    fn of(endpoints: u16, rules: OutlierDetection) -> Self {
        let endpoints: Vec<_> =
            (1..=endpoints).map(|port| Arc::new(EndpointState::new(([127, 0, 0, 1], port).into()))).collect();
        let mut judge = Judge::new(rules);
        judge.set_endpoints(endpoints.iter());
        let rules = Arc::new(Rules { outliers: Arc::clone(&judge.rules), tell: Box::new(|_| {}) });
        endpoints.iter().for_each(|endpoint| endpoint.tally.set_rules(Some(Arc::clone(&rules))));
        Self { judge, endpoints, now: Instant::now(), random: fastrand::Rng::with_seed(1) }
    }

    fn accuse(&mut self, at: usize) -> bool {
        self.judge.accuse(self.endpoints[at].address, Reason::Consecutive5xx, self.now, &mut self.random)
    }

    /// Lets time go by and reviews.
    fn after(&mut self, seconds: u64) -> bool {
        self.now += Duration::from_secs(seconds);
        self.judge.review(self.now, &mut self.random)
    }

    fn ejected(&self) -> Vec<usize> {
        let ejected = |at: &usize| self.endpoints[*at].health.has(Mark::Ejected);
        (0..self.endpoints.len()).filter(ejected).collect()
    }

    fn answer(&self, at: usize, good: u32, bad: u32) {
        for (count, status) in [(good, StatusCode::OK), (bad, StatusCode::INTERNAL_SERVER_ERROR)] {
            (0..count).for_each(|_| self.endpoints[at].tally.note(Happened::Answered(status)));
        }
    }
}

#[test]
fn each_ejection_is_longer_than_the_one_before() {
    let mut court = Court::of(2, rules());
    assert!(court.accuse(0) && !court.accuse(0));
    assert_eq!(court.ejected(), [0]);
    assert!(!court.after(29) && court.after(1));
    assert_eq!(court.ejected(), [0_usize; 0]);
    for times in 2..=4 {
        assert!(court.accuse(0));
        assert!(!court.after(30 * times - 1) && court.after(1), "{times}");
    }
}

#[test]
fn no_ejection_lasts_for_ever_and_peace_is_rewarded() {
    let mut court = Court::of(2, rules());
    for _ in 0..20 {
        court.accuse(0);
        court.judge.release(0, court.now);
    }
    assert_eq!(court.judge.accused[0].times, 11, "11 times 30 s is no longer below 5 minutes and 30 s");
    court.accuse(0);
    assert!(!court.after(299) && court.after(1));
    court.after(9);
    assert_eq!(court.judge.accused[0].times, 11, "less than an interval of peace");
    for left in (0..11).rev() {
        court.after(10);
        assert_eq!(court.judge.accused[0].times, left);
    }
}

#[test]
fn only_so_many_are_ejected_at_once() {
    let mut court = Court::of(10, OutlierDetection { max_ejection_percent: 20, ..rules() });
    assert_eq!((0..10).filter(|at| court.accuse(*at)).count(), 2);
    assert_eq!((court.ejected(), court.judge.record.overflow), (vec![0, 1], 8));
    // A tenth of fewer than ten is nobody.
    let mut court = Court::of(9, OutlierDetection { max_ejection_percent: 10, ..rules() });
    assert!(!court.accuse(0));
}

#[test]
fn not_every_ejection_is_enforced() {
    let mut court = Court::of(100, OutlierDetection { enforcing_consecutive_5xx: 30, ..rules() });
    let ejected = (0..100).filter(|at| court.accuse(*at)).count();
    assert!((15..45).contains(&ejected), "{ejected}");
    let mut court = Court::of(2, OutlierDetection { enforcing_consecutive_5xx: 0, ..rules() });
    assert!(!court.accuse(0) && court.judge.record.ejections == [0; 5]);
}

#[test]
fn a_success_rate_far_below_the_others_is_an_outlier() {
    let mut court = Court::of(6, rules());
    for at in 0..5 {
        court.answer(at, 98, 2);
    }
    court.answer(5, 60, 40);
    assert!(court.after(10));
    assert_eq!(court.ejected(), [5]);
    assert_eq!(court.judge.record.ejections[Reason::SuccessRate as usize], 1);
    // Neither too few requests nor too few endpoints count.
    for (volume, hosts) in [(101, 5), (100, 7)] {
        let rules =
            OutlierDetection { success_rate_request_volume: volume, success_rate_minimum_hosts: hosts, ..rules() };
        let mut court = Court::of(6, rules);
        (0..5).for_each(|at| court.answer(at, 98, 2));
        court.answer(5, 60, 40);
        assert!(!court.after(10), "{volume} {hosts}");
    }
}

#[test]
fn endpoints_come_and_go() {
    let mut court = Court::of(3, rules());
    assert!(court.accuse(0) && court.accuse(1));
    let stay = [court.endpoints[1].clone(), court.endpoints[2].clone()];
    court.judge.set_endpoints(stay.iter());
    assert!(!court.accuse(0), "it is not here any more");
    let now = court.now + Duration::from_secs(10);
    let ejected: Vec<_> = court.judge.ejected(now).map(|(at, ejection)| (at.port(), ejection)).collect();
    assert_eq!(ejected, [(2, (Reason::Consecutive5xx, Duration::from_secs(20)))]);
    assert!(court.judge.acquit(stay[0].address, now) && !court.judge.acquit(stay[0].address, now));
    assert!(court.accuse(2) && court.judge.close(now) && !court.judge.close(now));
    assert!(!court.endpoints[2].health.has(Mark::Ejected));
}
