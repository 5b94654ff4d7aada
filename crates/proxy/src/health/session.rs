//! One endpoint's health checks: a task that asks, marks, waits, and asks again for as long as it is kept.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use serin_api::proxy::{ClusterName, HealthCheck};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use super::course::{Course, Failure, Meaning};
use super::keeper::Notify;
use super::probe::{Line, Target, ask};
use crate::balance::EndpointState;
use crate::destinations::Members;

/// An endpoint's health checks. They end when this is dropped.
pub(super) struct Session {
    check: Arc<HealthCheck>,
    target: Target,
    endpoint: Arc<EndpointState>,
    task: AbortHandle,
    /// Why it is unhealthy, if it is.
    pub(super) reason: Rc<RefCell<Option<String>>>,
}

/// What the sessions of a cluster share.
#[derive(Clone)]
pub(super) struct Company {
    pub(super) members: Rc<RefCell<Arc<Members>>>,
    /// Leave to ask: so many at once, however many endpoints there are.
    pub(super) leave: Arc<Semaphore>,
    pub(super) notify: Notify,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Session {
    pub(super) fn start(
        check: &Arc<HealthCheck>,
        target: Target,
        endpoint: &Arc<EndpointState>,
        company: Company,
    ) -> Self {
        let reason = Rc::default();
        let work = run(Arc::clone(check), target.clone(), Arc::clone(endpoint), company, Rc::clone(&reason));
        let task = tokio::task::spawn_local(work).abort_handle();
        Self { check: Arc::clone(check), target, endpoint: Arc::clone(endpoint), task, reason }
    }

    /// Whether it asks this endpoint in this way.
    pub(super) fn is(&self, check: &HealthCheck, target: &Target, endpoint: &Arc<EndpointState>) -> bool {
        *self.check == *check
            && self.target.host == target.host
            && self.target.dial.as_ref().map(Arc::as_ptr) == target.dial.as_ref().map(Arc::as_ptr)
            && Arc::ptr_eq(&self.endpoint, endpoint)
    }
}

async fn run(
    check: Arc<HealthCheck>,
    target: Target,
    endpoint: Arc<EndpointState>,
    company: Company,
    reason: Rc<RefCell<Option<String>>>,
) {
    let mut random = fastrand::Rng::new();
    let mut course = Course::new(Arc::clone(&check));
    let mut line = Line::default();
    let cluster: ClusterName = company.members.borrow().cluster.name.clone();
    tokio::time::sleep(course.first_wait(&mut random)).await;
    loop {
        let answer = {
            let _leave = company.leave.acquire().await;
            let asked = tokio::time::timeout(check.timeout.0, ask(&target, &check.question, &mut line)).await;
            asked.unwrap_or_else(|_| {
                Err(Failure::Silence(format!("its health check is not answered within {}", check.timeout)))
            })
        };
        if let Err(failure) = &answer
            && check.logs_failures
        {
            tracing::warn!(%cluster, endpoint = %endpoint.address, "a health check failed: {}", failure.reason());
        }
        if answer.is_err() || !check.reuse_connection {
            line = Line::None;
        }
        let meaning = course.take(&answer, &endpoint.health);
        *reason.borrow_mut() = answer.as_ref().err().map(|failure| failure.reason().to_owned());
        company.notify.checked(&cluster, endpoint.address, answer.is_ok(), meaning == Meaning::Changed);
        let traffic = company.members.borrow().states.values().any(|state| state.has_been_asked());
        let wait: Duration = course.wait(answer.is_ok(), meaning, traffic, &mut random);
        tokio::time::sleep(wait).await;
    }
}
