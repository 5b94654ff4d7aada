//! The corpus of malformed and ambiguous requests: each is refused, and no upstream sees it or what comes after it.

mod corpus;
mod stage;

use corpus::recorder::Recorder;
use corpus::verdict::{FILES, check};
use stage::single_worker;

#[test]
fn what_is_malformed_is_refused_and_no_upstream_sees_it() {
    let upstream = Recorder::start();
    let plane = single_worker(upstream.address);
    let address = stage::address(&plane);
    let cases: Vec<_> = FILES.into_iter().flat_map(corpus::read).collect();
    let faults: Vec<String> = cases
        .iter()
        .filter_map(|case| Some(format!("{}: {}", case.name, check(case, address, &upstream).err()?)))
        .collect();
    assert!(faults.is_empty(), "{} of {} cases:\n{}", faults.len(), cases.len(), faults.join("\n"));
    assert!(cases.len() >= 300, "{} cases", cases.len());
}
