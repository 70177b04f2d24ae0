//! What `talkie ice` is told, checked.

use std::ops::RangeInclusive;
use std::time::Duration;

use clap::ArgMatches;
use talkie_signaling::pair::Code;
use talkie_signaling::{IceServer, ServerUrl};
use talkie_traversal::ice::gather::{Policy, Server, Tcp};
use talkie_traversal::ice::{Config, Role};
use talkie_traversal::stun::credential::{CredentialError, LongTerm};
use talkie_traversal::uri::{Uri, UriError};

use super::meet::IceError;
use crate::commands::{login, meeting};
use crate::settings::When;

/// What waits to be shown: two seconds of lines that come as fast as another side sends them.
const EVENTS: usize = 4096;
/// More servers than this are not asked.
const SERVERS: usize = 16;

/// What `talkie ice` is told.
pub(super) struct Settings {
    /// How the two meet.
    pub(super) way: Way,
    /// The servers that were named.
    named: Vec<Server>,
    relay_only: bool,
    tcp: bool,
    predict: usize,
    ports: RangeInclusive<u16>,
    /// Whether everything is sent back.
    pub(super) echo: bool,
    /// Whether events are printed as JSON.
    pub(super) json: bool,
    /// Whether each pair's story is told.
    pub(super) verbose: bool,
    /// When to use colour.
    pub(super) colour: When,
}

/// How the two meet.
pub(super) enum Way {
    /// On a server.
    Server(Meeting),
    /// By what people carry, who may take so long.
    Paste(Duration),
}

/// Where and with whom.
pub(super) struct Meeting {
    pub(super) server: ServerUrl,
    /// That of the other side; `None`: this is the first.
    pub(super) code: Option<Code>,
    pub(super) patience: Duration,
}

/// Why the command line makes no sense.
#[derive(Debug, thiserror::Error)]
pub(super) enum UsageError {
    #[error(transparent)]
    Code(#[from] meeting::CodeError),
    #[error(transparent)]
    Password(#[from] login::PasswordError),
    #[error("--user and --password: {0}")]
    Credential(#[from] CredentialError),
    #[error("--relay-only with --copy-paste needs a relay: name one with --turn")]
    NoRelay,
    #[error("--relay-only with --stun needs a relay: name one with --turn")]
    NoRelayNamed,
}

/// A server that is not what its flag says.
#[derive(Debug, thiserror::Error)]
pub(super) enum ServerError {
    #[error(transparent)]
    Uri(#[from] UriError),
    #[error("{0} is a relay: name it with --turn, --user and --password-file")]
    Relay(Uri),
    #[error("{0} is no relay: name it with --stun")]
    NoRelay(Uri),
    #[error("STUN over TLS tells nothing about UDP: name {0} without it")]
    Secure(Uri),
}

/// A STUN server, with or without its scheme.
pub(super) fn stun(text: &str) -> Result<Uri, ServerError> {
    let uri = uri("stun", text)?;
    match uri.scheme() {
        scheme if scheme.is_turn() => Err(ServerError::Relay(uri)),
        scheme if scheme.is_secure() => Err(ServerError::Secure(uri)),
        _ => Ok(uri),
    }
}

/// A TURN server, with or without its scheme.
pub(super) fn turn(text: &str) -> Result<Uri, ServerError> {
    let uri = uri("turn", text)?;
    if uri.scheme().is_turn() { Ok(uri) } else { Err(ServerError::NoRelay(uri)) }
}

fn uri(scheme: &str, text: &str) -> Result<Uri, UriError> {
    let text = text.trim();
    let word = text.split_once(':').map_or("", |(word, _)| word).to_ascii_lowercase();
    match &*word {
        "stun" | "stuns" | "turn" | "turns" => text.parse(),
        _ => format!("{scheme}:{text}").parse(),
    }
}

impl Settings {
    pub(super) fn of(matches: &ArgMatches) -> Result<Self, UsageError> {
        let code = meeting::code(matches)?;
        let patience = meeting::patience(matches);
        let way = match matches.get_one::<ServerUrl>("server") {
            Some(server) if !matches.get_flag("copy-paste") => {
                Way::Server(Meeting { server: server.clone(), code, patience })
            }
            _ => Way::Paste(patience),
        };
        let named = |flag| matches.get_many::<Uri>(flag).into_iter().flatten();
        let credential = match matches.get_one::<String>("user") {
            Some(user) => Some(LongTerm::new(user, &login::password(matches)?)?),
            None => None,
        };
        let stun = named("stun").map(|uri| Server { uri: uri.clone(), credential: None });
        let turn =
            named("turn").map(|uri| Server { uri: uri.clone(), credential: credential.clone() });
        let settings = Self {
            way,
            named: stun.chain(turn).collect(),
            relay_only: matches.get_flag("relay-only"),
            tcp: matches.get_flag("tcp"),
            predict: matches.get_one::<u8>("predict").copied().unwrap_or_default().into(),
            ports: matches.get_one("port-range").cloned().unwrap_or(0..=0),
            echo: matches.get_flag("echo"),
            json: matches.get_flag("json"),
            verbose: matches.get_flag("verbose"),
            colour: match matches.get_one::<String>("color").map(String::as_str) {
                Some("always") => When::Always,
                Some("never") => When::Never,
                _ => When::Auto,
            },
        };
        settings.checked(matches.contains_id("turn"))
    }

    fn checked(self, names_relay: bool) -> Result<Self, UsageError> {
        match (self.relay_only && !names_relay, &self.way) {
            (true, Way::Paste(_)) => Err(UsageError::NoRelay),
            (true, Way::Server(_)) if !self.named.is_empty() => Err(UsageError::NoRelayNamed),
            _ => Ok(self),
        }
    }

    /// The agent's configuration. `offered` are the servers that the meeting place gives: they are used
    /// unless others were named.
    pub(super) fn agent(&self, role: Role, offered: &[IceServer]) -> Config {
        let mut config = Config::default();
        config.role = role;
        config.gather.servers = self.named.clone();
        if self.named.is_empty() {
            let offered = offered.iter().map(|it| (&it.urls, it.login()));
            config.gather.servers = Server::usable(offered, SERVERS);
        }
        config.gather.policy = if self.relay_only { Policy::Relay } else { Policy::All };
        config.gather.tcp = if self.tcp { Tcp::Passive } else { Tcp::Off };
        config.gather.ports = self.ports.clone();
        config.gather.predict = self.predict;
        config.limits.events = EVENTS;
        if let Way::Paste(patience) = self.way {
            config.timers.patience = config.timers.patience.max(patience);
        }
        config
    }

    /// Whether the servers were named on the command line.
    pub(super) fn names_servers(&self) -> bool {
        !self.named.is_empty()
    }

    /// What helps against an error.
    pub(super) fn what_to_do(&self, error: &IceError) -> Option<String> {
        match (error, &self.way) {
            (IceError::Meet(error), Way::Server(meeting)) => {
                meeting::what_to_do(error, &meeting.server, "talkie ice")
            }
            _ => None,
        }
    }
}

/// The other ports at which the server answers, of URLs that differ in port or address alone: each shows one more
/// mapping of the NAT.
pub(super) fn other_ports(alike: &[String]) -> Vec<u16> {
    let uris: Vec<Uri> = alike.iter().filter_map(|url| url.parse().ok()).collect();
    let Some(first) = uris.first() else { return Vec::new() };
    let others = uris.iter().filter(|uri| uri.host() == first.host() && uri.port() != first.port());
    others.map(Uri::port).take(SERVERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(words: &[&str]) -> Result<Settings, String> {
        let words = ["ice"].iter().chain(words).copied();
        let matches = super::super::command().try_get_matches_from(words);
        Settings::of(&matches.map_err(|error| error.to_string())?)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn servers_are_named_with_or_without_their_scheme() {
        let words = ["--turn", "turns:b.example", "--user", "u", "--password", "p"];
        let settings =
            told(&[&["--stun", "a.example:19302", "--turn", "[::1]"][..], &words].concat());
        let settings = settings.unwrap();
        let named: Vec<_> = settings.named.iter().map(|server| server.uri.to_string()).collect();
        let turn = "turn:[::1]:3478?transport=udp";
        assert_eq!(named, ["stun:a.example:19302", turn, "turns:b.example:5349?transport=tcp"]);
        let has_login: Vec<_> =
            settings.named.iter().map(|server| server.credential.is_some()).collect();
        assert_eq!(has_login, [false, true, true]);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_reason() {
        let login = ["--user", "u", "--password", "p"];
        for (words, part) in [
            (&["--stun", "turn:a.example"][..], "name it with --turn"),
            (&["--stun", "stuns:a.example"], "tells nothing about UDP"),
            (&["--turn", "stun:a.example", login[0], login[1], login[2], login[3]], "no relay"),
            (&["--turn", "a.example"], "--user"),
            (&login, "--turn"),
            (&["--copy-paste", "ABCDE"], "cannot be used"),
            (&["--copy-paste", "--relay-only"], "name one with --turn"),
            (&["--stun", "a.example", "--relay-only"], "name one with --turn"),
            (&["--port-range", "9-1"], "ends before it starts"),
            (&["https://talk.example"], "--server"),
            (&["ABCDE"], "has 5"),
        ] {
            let error = told(words).map(drop).unwrap_err();
            assert!(error.contains(part), "{words:?}: {error}");
        }
    }

    #[test]
    fn a_server_with_one_address_shows_the_nat_by_its_other_port() {
        let ports =
            |urls: &[&str]| other_ports(&urls.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(ports(&[]), [0; 0]);
        assert_eq!(ports(&["stun:a.example:3478", "stun:a.example:3479"]), [3479]);
        assert_eq!(ports(&["stun:192.0.2.1:3478", "nonsense", "stun:192.0.2.2:3479"]), [0; 0]);
    }

    #[test]
    fn servers_that_were_named_are_used_and_no_others() {
        let offered: Vec<IceServer> = serde_json::from_str(
            r#"[{"urls": ["stun:a.example", "http://nonsense"]},
                {"urls": ["turn:a.example"], "username": "u", "credential": "c"}]"#,
        )
        .unwrap();
        let of = |words: &[&str]| {
            let config = told(words).unwrap().agent(Role::Controlled, &offered);
            config.gather.servers.iter().map(|it| it.uri.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(of(&[]), ["stun:a.example:3478", "turn:a.example:3478?transport=udp"]);
        assert_eq!(of(&["--stun", "b.example"]), ["stun:b.example:3478"]);
        let config = told(&["--relay-only", "--tcp", "--port-range", "5000-5009"]).unwrap();
        let gather = config.agent(Role::Controlling, &offered).gather;
        assert_eq!((gather.policy, gather.tcp), (Policy::Relay, Tcp::Passive));
        assert_eq!((gather.ports, gather.predict), (5000..=5009, 8));
        let config = |words: &[&str]| told(words).unwrap().agent(Role::Controlled, &[]);
        assert_eq!(config(&["--predict", "0"]).gather.predict, 0);
        let patience = |words: &[&str]| config(words).timers.patience.as_secs();
        assert_eq!(patience(&["--wait", "5"]), 39);
        assert_eq!(patience(&["--copy-paste"]), 600);
        assert_eq!(patience(&["--copy-paste", "--wait", "30"]), 1800);
    }
}
