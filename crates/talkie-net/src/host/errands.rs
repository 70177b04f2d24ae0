//! What a machine wants, carried out: at once where the operating system does not wait, else in a task
//! of its own whose outcome comes as [`News`].

use std::future::Future;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use talkie_sansio::{Answer, Path, Want, WantError, WantId};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;

use super::names::resolve;
use super::streams::{Call, connect};
use super::{Options, sockets};
use crate::driver::Stream;
use crate::driver::wires::Wires;
use crate::frame::Framer;
use crate::interfaces::gateway;

/// Outcomes that the task has not taken.
const NEWS: usize = 16;
/// Names looked up at once: each takes a thread for as long as the system's resolver likes.
const LOOKUPS: usize = 8;

/// What has come of an errand.
pub(crate) struct News {
    id: WantId,
    serial: u64,
    outcome: Outcome,
}

pub(super) enum Outcome {
    Stream(Box<dyn Stream>, Path, Framer),
    Answer(Answer),
}

/// What is being carried out for one machine.
pub(crate) struct Errands {
    options: Options,
    under_way: FxHashMap<WantId, Errand>,
    serial: u64,
    lookups: Arc<Semaphore>,
    news: (mpsc::Sender<News>, mpsc::Receiver<News>),
}

/// Ends when it is dropped.
struct Errand {
    serial: u64,
    is_stream: bool,
    task: AbortHandle,
}

impl Drop for Errand {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Errands {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            under_way: FxHashMap::default(),
            serial: 0,
            lookups: Arc::new(Semaphore::new(LOOKUPS)),
            news: mpsc::channel(NEWS),
        }
    }

    /// Whether one more stream may be accepted: never so many that there is no room for our own.
    pub(crate) fn may_accept(&self, wires: &Wires) -> bool {
        let most = self.options.limits.streams;
        self.streams(wires) < most - most / 4
    }

    /// How many streams there are, those under way included.
    fn streams(&self, wires: &Wires) -> usize {
        self.under_way.values().filter(|errand| errand.is_stream).count() + wires.streams()
    }

    /// The next outcome.
    pub(crate) async fn news(&mut self) -> News {
        self.news.1.recv().await.expect("this side keeps a sender")
    }

    /// Starts on what is wanted, and answers if that can be done at once.
    pub(crate) fn run(&mut self, want: Want, wires: &mut Wires) -> Option<Answer> {
        let limits = &self.options.limits;
        let sockets_left = wires.sockets() < limits.sockets;
        let done = match want {
            Want::Bind { id, .. } | Want::Join { id, .. } | Want::Listen { id, .. }
                if !sockets_left =>
            {
                Err((id, full()))
            }
            Want::Bind { id, local, ports } => {
                sockets::bind(id, local, ports, &self.options.udp, wires).map_err(|e| (id, e))
            }
            Want::Join { id, interface, group } => {
                sockets::join(id, interface, group, &self.options.udp, wires).map_err(|e| (id, e))
            }
            Want::Listen { id, local, ports, framer } => {
                sockets::listen(id, local, ports, framer, wires).map_err(|e| (id, e))
            }
            Want::Connect { id, .. } if self.streams(wires) >= limits.streams => Err((id, full())),
            Want::Connect { id, transport, local, remote, server_name, framer } => {
                let call = Call { transport, local, remote, server_name };
                let (trust, patience) = (self.options.trust.clone(), limits.connect);
                self.start(id, true, async move {
                    let (stream, path) = connect(call, &trust, patience).await?;
                    Ok(Outcome::Stream(stream, path, framer))
                });
                return None;
            }
            Want::Resolve { id, .. } if self.names() >= limits.names => Err((id, full())),
            Want::Resolve { id, name } => {
                let (lookups, patience) = (Arc::clone(&self.lookups), limits.resolve);
                self.start(id, false, async move {
                    let addresses = resolve(name, lookups, patience).await?;
                    Ok(Outcome::Answer(Answer::Resolved { id, addresses }))
                });
                return None;
            }
            Want::Gateway { id, .. } if self.names() >= limits.names => Err((id, full())),
            Want::Gateway { id, local } => {
                self.start(id, false, async move {
                    let found = tokio::task::spawn_blocking(move || gateway(local)).await;
                    let gateway = found.ok().flatten().ok_or(WantError::NoGateway)?;
                    Ok(Outcome::Answer(Answer::Gateway { id, gateway }))
                });
                return None;
            }
            Want::Close { id } => {
                self.under_way.remove(&id);
                wires.close(id);
                return None;
            }
            Want::HangUp { path } => {
                wires.hang_up(&path);
                return None;
            }
            other => {
                tracing::warn!(?other, "wanted, and not known how");
                return other.refusal();
            }
        };
        Some(done.unwrap_or_else(|(id, error)| Answer::Failed { id, error }))
    }

    fn names(&self) -> usize {
        self.under_way.values().filter(|errand| !errand.is_stream).count()
    }

    fn start(
        &mut self,
        id: WantId,
        is_stream: bool,
        work: impl Future<Output = Result<Outcome, WantError>> + Send + 'static,
    ) {
        self.serial += 1;
        let (serial, news) = (self.serial, self.news.0.clone());
        let task = tokio::spawn(async move {
            let failed = |error| Outcome::Answer(Answer::Failed { id, error });
            let outcome = work.await.unwrap_or_else(failed);
            // Nobody listens if the machine's task is gone.
            let _ = news.send(News { id, serial, outcome }).await;
        });
        let errand = Errand { serial, is_stream, task: task.abort_handle() };
        self.under_way.insert(id, errand);
    }

    /// Takes an outcome, and makes it an answer unless nobody waits for it any more.
    pub(crate) fn hear(&mut self, news: News, wires: &mut Wires) -> Option<Answer> {
        let News { id, serial, outcome } = news;
        self.under_way.get(&id).filter(|errand| errand.serial == serial)?;
        self.under_way.remove(&id);
        Some(match outcome {
            Outcome::Stream(stream, path, framer) => {
                wires.add_stream(path, stream, framer, true);
                Answer::Connected { id, path }
            }
            Outcome::Answer(answer) => answer,
        })
    }
}

fn full() -> WantError {
    WantError::Io(std::io::ErrorKind::QuotaExceeded)
}
