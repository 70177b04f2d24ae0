//! What happens during an examination, for those who watch, and how to end it early.

use tokio::sync::watch;

use crate::report::Family;

/// A part of the examination that takes its time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// This host's interfaces and routes.
    Host,
    /// One server, as it was named.
    Server(String),
    /// What stands between this host and a server.
    Nat(Family),
    /// How large packets may be.
    Mtu(Family),
    /// What the gateway offers to open ports.
    PortMapping,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Well.
    Good,
    /// There is something to say about it.
    Caution,
    /// Badly.
    Bad,
    /// Nothing could be found out.
    Unknown,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A step began.
    Began(Step),
    /// A step has found something, and goes on.
    Found(Step, String),
    /// A step ended, with what it found in a few words.
    Ended(Step, Mark, String),
}

/// Ends an examination early, with what is known until then and with everything given back.
#[derive(Clone, Debug)]
pub struct Stop(Option<watch::Receiver<bool>>);

/// Tells [`Stop`].
#[derive(Debug)]
pub struct StopHandle(watch::Sender<bool>);

impl Stop {
    /// One that can be told, and what tells it.
    #[must_use]
    pub fn new() -> (StopHandle, Self) {
        let (sender, receiver) = watch::channel(false);
        (StopHandle(sender), Self(Some(receiver)))
    }

    /// One that never is.
    #[must_use]
    pub fn never() -> Self {
        Self(None)
    }

    /// Waits until it is told.
    pub async fn wait(&self) {
        if let Some(mut receiver) = self.0.clone()
            && receiver.wait_for(|stopped| *stopped).await.is_ok()
        {
            return;
        }
        // Never to be told, or nobody is left who could.
        std::future::pending().await
    }
}

impl StopHandle {
    /// Ends the examination.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}
