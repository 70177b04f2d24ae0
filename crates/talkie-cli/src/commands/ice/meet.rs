//! How two meet: on a server, by a code, or by what people carry from one to the other.

use serde::{Deserialize, Serialize};
use talkie_net::host;
use talkie_signaling::pair::{Code, Link, MeetError, Rendezvous};
use talkie_signaling::{Tls, Trust};
use talkie_traversal::ice::Role;

use super::attributes::Roles;
use super::lines::Typing;
use super::session::{End, Session, Start};
use super::settings::{Meeting, Settings, Way, other_ports};
use super::view::{News, View};
use crate::signals::Signals;

/// What codes are for.
const PURPOSE: &str = "ice";
/// The version of what is said after the greeting. It changes when an older version could not follow any more.
const PROTOCOL: u32 = 1;

/// Why there is not even an attempt.
#[derive(Debug, thiserror::Error)]
pub(super) enum IceError {
    #[error(transparent)]
    Meet(#[from] MeetError),
    #[error("standard input has ended before the other side's block")]
    NoBlock,
    #[error(
        "standard input has ended in the middle of the other side's block, whose last line is `a=end-of-candidates`; paste all of it"
    )]
    HalfBlock,
    #[error("cannot start: {0}")]
    Local(#[from] std::io::Error),
    #[error("the agent has ended by itself")]
    Ended,
}

/// What the two say over the server, sealed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(super) enum Message {
    /// Attributes of RFC 8839, as they come.
    Attributes { lines: Vec<String> },
    /// No pair works, so that this side gives up.
    Unconnected,
    /// Of a later version.
    #[serde(other)]
    Later,
}

/// Meets the other side, connects, and carries what is said until one side ends it.
pub(super) async fn run(
    settings: &Settings,
    view: &mut dyn View,
    signals: &mut Signals,
) -> Result<End, IceError> {
    let mut typing = Typing::begin(view);
    let meeting = match &settings.way {
        Way::Server(meeting) => meeting,
        Way::Paste(_) => {
            let config = settings.agent(Role::Controlling, &[]);
            let options = host::Options::default();
            let (link, roles, echo) = (None, Roles::ByName, settings.echo);
            let start = Start { config, options, link, roles, echo, typing };
            return Session::begin(start, view).await?.run(signals).await;
        }
    };
    let mut place = tokio::select! {
        place = Rendezvous::at(&meeting.server) => place?,
        () = typing.ended(view) => return Ok(End::Early),
        signal = signals.next() => return Ok(End::Signal(signal)),
    };
    if let Some(fingerprint) = place.unvouched() {
        view.show(News::Unvouched(fingerprint));
    }
    let ended = hold(settings, meeting, &mut place, typing, view, signals).await;
    place.close().await;
    ended
}

async fn hold(
    settings: &Settings,
    meeting: &Meeting,
    place: &mut Rendezvous,
    mut typing: Typing,
    view: &mut dyn View,
    signals: &mut Signals,
) -> Result<End, IceError> {
    // Who comes later finds everything ready, and decides.
    let role = if meeting.code.is_some() { Role::Controlling } else { Role::Controlled };
    let mut config = settings.agent(role, place.ice_servers());
    if !settings.names_servers() {
        config.gather.other_ports = other_ports(place.discovery());
    }
    // Who meets on this very host may have no other address in common.
    config.gather.filter.loopback = place.address().ip().is_loopback();
    let options = host::Options { trust: trust(settings, meeting, place), ..Default::default() };
    let link = tokio::select! {
        link = find(meeting, place, &mut typing, view) => link?,
        signal = signals.next() => return Ok(End::Signal(signal)),
    };
    let Some(link) = link else { return Ok(End::Early) };
    let (link, roles, echo) = (Some(link), Roles::Known, settings.echo);
    let start = Start { config, options, link, roles, echo, typing };
    Session::begin(start, view).await?.run(signals).await
}

/// Waits for the other side, or goes to it; nobody, if who types here ends the waiting.
async fn find<'a>(
    meeting: &Meeting,
    place: &'a mut Rendezvous,
    typing: &mut Typing,
    view: &mut dyn View,
) -> Result<Option<Link<'a>>, IceError> {
    let mut link = match &meeting.code {
        Some(code) => tokio::select! {
            link = place.enter(PURPOSE, code) => link?,
            () = typing.ended(view) => return Ok(None),
        },
        None => {
            let code = Code::generate().map_err(MeetError::from)?;
            let server = place.invited();
            let opened = tokio::select! {
                opened = place.open(PURPOSE, &code) => opened?,
                () = typing.ended(view) => return Ok(None),
            };
            let patience = meeting.patience;
            view.show(News::Waiting { code: &code, server: &server, patience });
            tokio::select! {
                link = opened.wait(patience) => link?,
                () = typing.ended(view) => return Ok(None),
            }
        }
    };
    let version = tokio::select! {
        version = link.greet(PROTOCOL, env!("CARGO_PKG_VERSION")) => version?,
        () = typing.ended(view) => return Ok(None),
    };
    view.show(News::Met { version: &version });
    Ok(Some(link))
}

/// Whom to take for a relay over TLS: where the servers come from the meeting place, whoever was taken for
/// that.
fn trust(settings: &Settings, meeting: &Meeting, place: &Rendezvous) -> host::Trust {
    let trust = match place.unvouched() {
        _ if settings.names_servers() => return host::Trust::System,
        Some(fingerprint) => Trust::Pinned(fingerprint),
        None if meeting.server.is_secure() => return host::Trust::System,
        // Who would deceive us has given us the address of the relay already.
        None => Trust::Anybody,
    };
    Tls::new(&trust, &[]).map(|tls| host::Trust::Config(tls.config)).unwrap_or_default()
}
