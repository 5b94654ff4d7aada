//! One stream: reads what an Envoy says, sends what it has to know next.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tonic::{Status, Streaming};

use super::Shared;
use super::identity::Client;
use super::nodes::NodeStatus;
use super::session::Session;
use super::wire::Wire;
use crate::Snapshot;

/// The responses of a stream.
#[derive(Debug)]
pub struct Responses<T> {
    receiver: mpsc::Receiver<Result<T, Status>>,
}

impl<T> Stream for Responses<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.receiver.poll_recv(cx)
    }
}

/// Serves one stream in a task of its own.
pub(super) fn start<W: Wire>(
    shared: Arc<Shared>,
    client: Client,
    requests: Streaming<W::Request>,
) -> Responses<W::Response> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let number = shared.nodes.begin();
        let mut status = NodeStatus::default();
        if let Err(error) = converse::<W>(&shared, &client, number, &mut status, requests, &sender).await {
            tracing::info!(node = status.node, %error, "an Envoy's discovery stream broke");
            // Whoever is gone needs no answer.
            let _ = sender.send(Err(error)).await;
        }
        shared.nodes.end(number);
    });
    Responses { receiver }
}

async fn converse<W: Wire>(
    shared: &Shared,
    client: &Client,
    number: u64,
    status: &mut NodeStatus,
    mut requests: Streaming<W::Request>,
    responses: &mpsc::Sender<Result<W::Response, Status>>,
) -> Result<(), Status> {
    let mut session = Session::new(W::CHANGES_ONLY, *client != Client::Anyone);
    let mut snapshots = shared.current.subscribe();
    loop {
        let snapshot = snapshots.borrow_and_update().clone();
        let mut wake = None;
        if let Some(snapshot) = &snapshot {
            while let Some(update) = session.next(snapshot, Instant::now().into_std()) {
                if responses.send(Ok(W::write(update))).await.is_err() {
                    return Ok(());
                }
            }
            if session.has_all_of(snapshot) {
                status.snapshot = snapshot.number();
            }
            wake = session.wakes_at(Instant::now().into_std());
        }
        if !status.node.is_empty() {
            shared.nodes.set(number, status);
        }
        tokio::select! {
            request = requests.message() => {
                let Some(request) = request? else { return Ok(()) };
                let ask = W::read(request);
                if let Some(node) = &ask.node {
                    client.admit(node)?;
                    status.node.clone_from(node);
                }
                session.hear(ask, &mut status.refusals);
            }
            () = changed(&mut snapshots) => {}
            () = sleep_until(wake) => {}
        }
    }
}

/// Returns when there is another snapshot.
async fn changed(snapshots: &mut watch::Receiver<Option<Arc<Snapshot>>>) {
    if snapshots.changed().await.is_err() {
        std::future::pending().await
    }
}

async fn sleep_until(wake: Option<std::time::Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake.into()).await,
        None => std::future::pending().await,
    }
}
