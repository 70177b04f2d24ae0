//! What messages are made of.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// Characters of an identifier; the server's own have 16.
const MAX_ID: usize = 128;
/// Characters of a card (docs/signaling.md, "Keys and cards").
const MAX_CARD: usize = 1_024;
/// Characters of a name (docs/signaling.md, "Names").
const MAX_NAME: usize = 64;
/// Characters of any other text that people may be shown.
const MAX_WORDS: usize = 300;
/// More ICE servers than anybody has.
const MAX_ICE_SERVERS: usize = 32;
/// Characters of a URL, a user name or a credential.
const MAX_ICE_TEXT: usize = 1_024;

/// A peer in a room: opaque, new for each join.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PeerId(Box<str>);

impl PeerId {
    /// As the server wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PeerId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > MAX_ID || !is_plain {
            return Err(D::Error::custom("not an identifier"));
        }
        Ok(Self(text.into()))
    }
}

/// Somebody else in a room, or before its door.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Peer {
    /// New for each join.
    pub id: PeerId,
    /// As it wants to be called; may be empty. Without control characters.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// What it told the others of the room, unread by the server.
    #[serde(default, deserialize_with = "card")]
    pub card: Option<String>,
}

/// How a peer went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LeaveReason {
    /// It left the room.
    Left,
    /// Its socket dropped and did not come back in time.
    Lost,
    /// Its session ended.
    Ended,
}

/// How somebody's knocking ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KnockEnd {
    /// It was let in.
    Admitted,
    /// It was not, or there was no place left.
    Refused,
    /// It went away.
    Gone,
}

/// How a key compares with a room's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyFit {
    /// There is no such room.
    New,
    /// They are the same.
    Match,
    /// They are not.
    Mismatch,
}

/// What can be seen of a room from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Glimpse {
    /// Whether there is a room, and whether the key is its.
    pub key: KeyFit,
    /// How many are in it, for who has the key.
    pub people: Option<u32>,
    /// Whether one has to knock, for who has the key.
    pub locked: Option<bool>,
}

/// What one finds on entering a room.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Joined {
    /// The room's name as the server writes it.
    #[serde(deserialize_with = "words")]
    pub room: String,
    /// One's own identifier.
    #[serde(rename = "self")]
    pub own: PeerId,
    /// Those who were there before.
    pub peers: Vec<Peer>,
    /// Whether newcomers have to knock.
    pub locked: bool,
    /// With this a member whose session was lost need not knock; the room's secret.
    #[serde(deserialize_with = "words")]
    pub pass: String,
}

/// What this client may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a message.
    pub message_bytes: usize,
    /// Messages in the long run.
    pub messages_per_second: u32,
    /// Messages at once.
    pub burst: u32,
    /// Peers in a room.
    pub room_peers: u32,
}

/// One entry of `RTCConfiguration.iceServers`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct IceServer {
    /// `stun:`, `turn:` and `turns:` URLs.
    pub urls: Vec<String>,
    /// For TURN.
    pub username: Option<String>,
    /// For TURN.
    pub credential: Option<String>,
}

impl IceServer {
    /// User name and password, if it has both.
    #[must_use]
    pub fn login(&self) -> Option<(&str, &str)> {
        self.username.as_deref().zip(self.credential.as_deref())
    }
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The credential is a secret.
        f.debug_struct("IceServer").field("urls", &self.urls).finish_non_exhaustive()
    }
}

/// STUN and TURN servers, and how long their credentials are good.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct IceGrant {
    /// The servers, best first.
    #[serde(deserialize_with = "ice_servers")]
    pub ice_servers: Vec<IceServer>,
    /// How long the credentials are good; zero: for ever.
    #[serde(deserialize_with = "seconds")]
    pub ice_ttl: Duration,
}

/// What the server says when a session opens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Welcome {
    /// Whether the session asked for goes on.
    pub resumed: bool,
    /// The highest sequence number of this side that the server has.
    pub(crate) ack: u64,
    /// The session's name.
    pub(crate) session: PeerId,
    /// What proves that the session is one's own.
    pub(crate) token: PeerId,
    /// How long this side may be silent at most.
    #[serde(deserialize_with = "seconds")]
    pub heartbeat: Duration,
    /// How long the session outlives its socket.
    #[serde(deserialize_with = "seconds")]
    pub resume_within: Duration,
    /// What the server takes.
    pub limits: Limits,
    /// STUN and TURN servers with fresh credentials.
    #[serde(flatten)]
    pub ice: IceGrant,
    /// `stun:` URLs of sockets of this server that differ in port or address alone, for who wants to
    /// know how its NAT maps; empty if there are no two.
    #[serde(default, deserialize_with = "urls")]
    pub discovery: Vec<String>,
    /// The origin that others are to be invited by, when it is another than one's own.
    #[serde(default, deserialize_with = "optional_words")]
    pub origin: Option<String>,
    /// Whether browsers will warn of the certificate there.
    #[serde(default)]
    pub self_signed: bool,
}

/// Text for people: bounded, in one line and without what a terminal obeys.
pub(crate) fn plain(text: &str, max: usize) -> String {
    text.chars().filter(|letter| !is_hidden(*letter)).take(max).collect()
}

/// Control, bidirectional-control and separator characters (docs/signaling.md, "Names").
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

pub(super) fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(plain(&Cow::<str>::deserialize(deserializer)?, MAX_WORDS))
}

fn optional_words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<Cow<'_, str>>::deserialize(deserializer)?;
    Ok(text.map(|text| plain(&text, MAX_WORDS)))
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(plain(Cow::<str>::deserialize(deserializer)?.trim(), MAX_NAME))
}

fn card<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(text) = Option::<Cow<'_, str>>::deserialize(deserializer)? else { return Ok(None) };
    let is_card = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if text.is_empty() || text.len() > MAX_CARD || !text.bytes().all(is_card) {
        return Err(D::Error::custom("not a card"));
    }
    Ok(Some(text.into_owned()))
}

/// Characters that are hidden have no place in a URL.
fn is_sound(text: &str) -> bool {
    text.len() <= MAX_ICE_TEXT && !text.chars().any(is_hidden)
}

fn urls<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let urls = Vec::<String>::deserialize(deserializer)?;
    if urls.len() > MAX_ICE_SERVERS || !urls.iter().all(|url| is_sound(url)) {
        return Err(D::Error::custom("too many URLs, or what is none"));
    }
    Ok(urls)
}

fn ice_servers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IceServer>, D::Error> {
    let servers = Vec::<IceServer>::deserialize(deserializer)?;
    let sound = servers.iter().all(|server| {
        let texts = server.urls.iter().chain(&server.username).chain(&server.credential);
        server.urls.len() <= MAX_ICE_SERVERS && texts.into_iter().all(|text| is_sound(text))
    });
    if servers.len() > MAX_ICE_SERVERS || !sound {
        return Err(D::Error::custom("too many ICE servers, or what is none"));
    }
    Ok(servers)
}

/// A time in seconds, at most a year.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    const YEAR: f64 = 365.0 * 86_400.0;
    let seconds = f64::deserialize(deserializer)?;
    if !(0.0..=YEAR).contains(&seconds) {
        return Err(D::Error::custom("not a time in seconds"));
    }
    Ok(Duration::from_secs_f64(seconds))
}
