//! Tells when this host's interfaces change, and when the host wakes from sleep.
//!
//! On Linux the kernel says so (netlink); elsewhere, and where a sandbox forbids that, the list is looked
//! at every two seconds. What changes at once — an interface comes up, gets its addresses one by one — is
//! waited for a moment and told together. A list is told only if it differs from the last, or after a
//! sleep: a laptop may wake in another network that gives it the same address.
//!
//! One thread looks for the whole process for as long as anybody listens, so that a thousand machines cost
//! the kernel and the battery what one does.

#[cfg(target_os = "linux")]
mod kernel;
mod signal;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use talkie_sansio::Interface;
use tokio::runtime;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

use self::signal::Signal;
use crate::interfaces::usable;
use crate::sys;

/// Changes within this time are told together.
const TOGETHER: Duration = Duration::from_millis(100);
/// How often to look whether the host has slept, and how long it must have for it to count.
const LOOK: Duration = Duration::from_secs(1);
const NAP: Duration = Duration::from_millis(500);

/// What there is to be seen of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sight {
    /// All addresses that a socket can be bound to.
    pub(crate) interfaces: Vec<Interface>,
    /// How long the host has slept, all in all: from its start as it is seen, from the start of the
    /// [`Watch`] as that tells it.
    pub(crate) asleep: Duration,
}

/// Watches until it is dropped.
pub(crate) struct Watch {
    sights: watch::Receiver<Sight>,
    /// How long the host had slept by the start of this.
    asleep: Duration,
}

/// How to look.
struct Eyes {
    signal: fn() -> Signal,
    list: fn() -> io::Result<Vec<Interface>>,
    asleep: Box<dyn Fn() -> Duration + Send>,
}

/// Where the process's own thread tells what it sees, while there is one.
static LOOKOUT: Mutex<Weak<watch::Sender<Sight>>> = Mutex::new(Weak::new());

fn lookout() -> MutexGuard<'static, Weak<watch::Sender<Sight>>> {
    // Nothing is ever half done under the lock.
    LOOKOUT.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    pub(crate) fn start() -> io::Result<Self> {
        let mut lookout = lookout();
        let sights = match lookout.upgrade() {
            Some(sights) => sights,
            None => {
                let asleep = Box::new(sys::time_asleep);
                let sights = begin(Eyes { signal: Signal::new, list: usable, asleep })?;
                *lookout = Arc::downgrade(&sights);
                sights
            }
        };
        // Still under the lock: the thread does not end in between.
        Ok(Self::of(&sights, sys::time_asleep()))
    }

    fn of(sights: &watch::Sender<Sight>, asleep: Duration) -> Self {
        let mut sights = sights.subscribe();
        // What is there already is to be told as well.
        sights.mark_changed();
        Self { sights, asleep }
    }

    /// What there is to be seen, and then each change. Cancel safe.
    pub(crate) async fn changed(&mut self) -> Sight {
        if self.sights.changed().await.is_err() {
            // The thread is gone, which it is only with the process.
            return std::future::pending().await;
        }
        let mut sight = self.sights.borrow_and_update().clone();
        sight.asleep = sight.asleep.saturating_sub(self.asleep);
        sight
    }
}

/// Lets a thread look.
fn begin(eyes: Eyes) -> io::Result<Arc<watch::Sender<Sight>>> {
    let first = Sight { interfaces: (eyes.list)()?, asleep: (eyes.asleep)() };
    let sights = Arc::new(watch::Sender::new(first));
    let told = Arc::clone(&sights);
    let (ready, is_ready) = std::sync::mpsc::channel();
    thread::Builder::new().name("talkie-watch".to_owned()).spawn(move || {
        // Made where it is used: tokio lets none be dropped in a task, as one would be if this failed there.
        match runtime::Builder::new_current_thread().enable_io().enable_time().build() {
            Ok(runtime) => {
                let _ = ready.send(Ok(()));
                runtime.block_on(look_out(&eyes, &told));
            }
            Err(error) => drop(ready.send(Err(error))),
        }
    })?;
    is_ready.recv().map_err(io::Error::other)??;
    Ok(sights)
}

/// Looks until nobody listens any more.
async fn look_out(eyes: &Eyes, sights: &Arc<watch::Sender<Sight>>) {
    let mut asleep = sights.borrow().asleep;
    let mut sleeps = Sleeps::new(asleep);
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut signal = (eyes.signal)();
    loop {
        // At first as well: what changed before there was a signal is not missed.
        match (eyes.list)() {
            Ok(interfaces) => tell(sights, Sight { interfaces, asleep }),
            Err(error) => tracing::warn!(%error, "cannot list the network interfaces"),
        }
        tokio::select! {
            () = signal.changed() => sleep(TOGETHER).await,
            total = awakening(&mut look, &mut sleeps, eyes) => asleep = total,
            () = sights.closed() => {
                let mut lookout = lookout();
                if sights.receiver_count() == 0 {
                    if Weak::ptr_eq(&lookout, &Arc::downgrade(sights)) {
                        *lookout = Weak::new();
                    }
                    return;
                }
            }
        }
        signal.settle();
    }
}

fn tell(sights: &watch::Sender<Sight>, sight: Sight) {
    sights.send_if_modified(|known| {
        let is_news = *known != sight;
        *known = sight;
        is_news
    });
}

/// Waits until the host has slept; how long all in all. Cancel safe.
async fn awakening(look: &mut Interval, sleeps: &mut Sleeps, eyes: &Eyes) -> Duration {
    loop {
        look.tick().await;
        let asleep = (eyes.asleep)();
        if sleeps.woken(asleep) {
            return asleep;
        }
    }
}

/// Notices sleep: while it lasts the monotonic clock stands still and the one since boot goes on.
struct Sleeps {
    asleep: Duration,
}

impl Sleeps {
    fn new(asleep: Duration) -> Self {
        Self { asleep }
    }

    /// Whether the host has slept since the last question.
    fn woken(&mut self, asleep: Duration) -> bool {
        let before = std::mem::replace(&mut self.asleep, asleep);
        asleep.saturating_sub(before) >= NAP
    }
}

#[cfg(test)]
impl Watch {
    /// Of a host with one address that has slept so many seconds.
    pub(crate) fn asleep_for(slept: &Arc<std::sync::atomic::AtomicU64>) -> Self {
        let slept = Arc::clone(slept);
        let asleep = move || Duration::from_secs(slept.load(std::sync::atomic::Ordering::Relaxed));
        let list = || -> io::Result<_> { Ok(vec![Interface::new("eth0", [10, 0, 0, 5].into())]) };
        // The thread ends where nobody listens; not before somebody does.
        let _held = lookout();
        let before = asleep();
        let eyes = Eyes { signal: Signal::looks, list, asleep: Box::new(asleep) };
        Self::of(&begin(eyes).expect("a thread"), before)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::time::timeout;

    use super::*;

    #[test]
    fn a_sleep_is_noticed_once_and_the_clocks_jitter_is_none() {
        let at = Duration::from_millis;
        let mut sleeps = Sleeps::new(at(60_000));
        assert!(!sleeps.woken(at(60_000)));
        assert!(!sleeps.woken(at(60_001)));
        assert!(!sleeps.woken(at(60_000)));
        assert!(sleeps.woken(at(65_000)));
        assert!(!sleeps.woken(at(65_000)));
    }

    #[tokio::test]
    async fn after_a_sleep_the_same_list_is_told_again_and_otherwise_not() {
        let slept = Arc::new(AtomicU64::new(1));
        let mut watch = Watch::asleep_for(&slept);
        let first = watch.changed().await;
        assert_eq!(first.asleep, Duration::ZERO);
        // Longer than one look at the list and two at the clocks.
        assert!(timeout(Duration::from_millis(2500), watch.changed()).await.is_err());
        slept.store(60, Ordering::Relaxed);
        let again = timeout(Duration::from_secs(5), watch.changed()).await.unwrap();
        assert_eq!(again, Sight { asleep: Duration::from_secs(59), ..first });
    }

    #[tokio::test]
    async fn all_watches_see_with_the_same_eyes() {
        let mut one = Watch::start().unwrap();
        let mut other = Watch::start().unwrap();
        assert!(one.sights.same_channel(&other.sights));
        assert_eq!(one.changed().await.interfaces, other.changed().await.interfaces);
        drop(one);
        // The thread stays for who is left.
        assert!(Watch::start().unwrap().sights.same_channel(&other.sights));
    }

    #[tokio::test]
    async fn a_system_that_tells_of_no_interfaces_is_an_error() {
        let eyes = Eyes {
            signal: Signal::looks,
            list: || Err(io::ErrorKind::PermissionDenied.into()),
            asleep: Box::new(|| Duration::ZERO),
        };
        let error = begin(eyes).map(drop).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn nobody_looks_when_nobody_listens() {
        let eyes = Eyes {
            signal: Signal::looks,
            list: || Ok(Vec::new()),
            asleep: Box::new(|| Duration::ZERO),
        };
        let sights = begin(eyes).unwrap();
        drop(Watch::of(&sights, Duration::ZERO));
        let thread = Arc::downgrade(&sights);
        drop(sights);
        let gone = (0..200).any(|_| {
            thread::sleep(Duration::from_millis(20));
            thread.strong_count() == 0
        });
        assert!(gone, "the thread goes on");
    }
}
