//! The table: one row for each setting of `talkie serve`.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use super::value;
use super::{Group, LogFormat, Setting, Shape, When};

const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The words of `--color`.
const COLORS: &[(&str, When)] =
    &[("auto", When::Auto), ("always", When::Always), ("never", When::Never)];

/// The words of `--log-format`.
const LOG_FORMATS: &[(&str, LogFormat)] =
    &[("auto", LogFormat::Auto), ("human", LogFormat::Human), ("json", LogFormat::Json)];

/// A row without a more specific word for each column.
const ROW: Setting = Setting {
    key: "",
    group: Group::Operation,
    shape: Shape::Text,
    value_name: "TEXT",
    help: "",
    more: "",
    unset: "",
    secret: false,
    set: |_, _| Ok(()),
    show: |_| Vec::new(),
};

/// Every setting, in the order of `--help`.
pub(crate) static SETTINGS: &[Setting] = &[
    Setting {
        key: "http",
        group: Group::Web,
        shape: Shape::List,
        value_name: "ADDR",
        help: "Where the web app is served without TLS",
        more: "Browsers give camera and microphone to plain HTTP on loopback only. A port alone \
               means 127.0.0.1, port 0 any free port, `none` no plain HTTP. 127.0.0.1 covers ::1 \
               too.",
        set: |options, given| {
            options.server.http = given.list(|text| value::listen(text, LOCALHOST))?;
            Ok(())
        },
        show: |options| texts(&options.server.http),
        ..ROW
    },
    Setting {
        key: "https",
        group: Group::Web,
        shape: Shape::List,
        value_name: "ADDR",
        help: "Where the web app and TURN over TLS are served",
        more: "Web and relay share the port, so that one open port is enough behind a strict \
               firewall. A port alone means 0.0.0.0, which covers [::] too; `none` switches it \
               off. On 443 the address in the browser needs no port.",
        set: |options, given| {
            options.server.https = given.list(|text| value::listen(text, ANY))?;
            Ok(())
        },
        show: |options| texts(&options.server.https),
        ..ROW
    },
    Setting {
        key: "trust-proxy",
        group: Group::Web,
        shape: Shape::List,
        value_name: "CIDR",
        help: "Reverse proxies whose X-Forwarded-For names the client",
        more: "Without it all that come through a proxy are one client to the limits on \
               connections and sessions. Name proxies only that set or append to the field, and \
               that nobody can go around by the same address.",
        set: |options, given| {
            options.server.trusted_proxies = given.list(value::network)?;
            Ok(())
        },
        show: |options| texts(&options.server.trusted_proxies),
        ..ROW
    },
    Setting {
        key: "origin",
        group: Group::Web,
        shape: Shape::List,
        value_name: "URL",
        help: "Other origins whose pages may use signaling",
        more: "The pages served here may in any case. Needed behind a proxy that rewrites Host, \
               and for an app that is served elsewhere.",
        set: |options, given| {
            options.server.signaling.origins = given.list(value::origin)?;
            Ok(())
        },
        show: |options| options.server.signaling.origins.clone(),
        ..ROW
    },
    Setting {
        key: "allow-host",
        group: Group::Web,
        shape: Shape::List,
        value_name: "NAME",
        help: "The only names by which the web app may be opened",
        more: "A name without a port; `.example.org` is all below it, too. IP addresses, localhost, \
               the system's own name and the hosts of other origins may be used in any case. Without \
               it any name will do, except that a browser on this host must not reach plain HTTP \
               by a foreign name, against DNS rebinding.",
        set: |options, given| {
            options.server.allowed_hosts = given.list(value::host_pattern)?;
            Ok(())
        },
        show: |options| options.server.allowed_hosts.clone(),
        ..ROW
    },
    Setting {
        key: "turn",
        group: Group::Relay,
        shape: Shape::List,
        value_name: "ADDR",
        help: "STUN and TURN over UDP and TCP",
        more: "`none` switches both off.",
        set: |options, given| {
            options.server.turn = given.list(|text| value::listen(text, ANY))?;
            Ok(())
        },
        show: |options| texts(&options.server.turn),
        ..ROW
    },
    Setting {
        key: "alternate-port",
        group: Group::Relay,
        value_name: "PORT",
        help: "Second STUN port, for finding out what a NAT does",
        more: "With it talkie doctor, the page /check and other programs (RFC 5780) tell how a \
               NAT maps ports. auto: the port of --turn plus one, or none if that is taken. \
               `none` switches it off.",
        set: |options, given| {
            options.server.alternate_port = value::alternate_port(given.text())?;
            Ok(())
        },
        show: |options| vec![value::alternate_port_text(options.server.alternate_port)],
        ..ROW
    },
    Setting {
        key: "alternate-ip",
        group: Group::Relay,
        shape: Shape::List,
        value_name: "IP",
        help: "Second address of this host, for the same",
        more: "With two addresses a NAT is told completely, what it lets in included. One for \
               each IP version; behind a one-to-one NAT PUBLIC/LOCAL. auto: the second of \
               exactly two public IPv4 addresses, if --turn listens on all.",
        set: |options, given| {
            options.server.alternate_ip = match given.texts {
                [only] if only == "auto" => None,
                _ => Some(value::one_of_each_family(given.list(value::alternate_ip)?)?),
            };
            Ok(())
        },
        show: |options| match &options.server.alternate_ip {
            None => vec!["auto".to_owned()],
            Some(given) => given.iter().map(value::alternate_ip_text).collect(),
        },
        ..ROW
    },
    Setting {
        key: "turns",
        group: Group::Relay,
        shape: Shape::List,
        value_name: "ADDR",
        help: "TURN over TLS on a port of its own",
        more: "The port of --https speaks it too. `none` switches it off.",
        set: |options, given| {
            options.server.turns = given.list(|text| value::listen(text, ANY))?;
            Ok(())
        },
        show: |options| texts(&options.server.turns),
        ..ROW
    },
    Setting {
        key: "no-turn",
        group: Group::Relay,
        shape: Shape::Switch,
        value_name: "BOOL",
        help: "Relay nothing",
        more: "STUN goes on. Calls between two strict NATs then fail.",
        set: |options, given| {
            options.server.relay = !value::switch(given.text())?;
            Ok(())
        },
        show: |options| vec![(!options.server.relay).to_string()],
        ..ROW
    },
    Setting {
        key: "relay-ports",
        group: Group::Relay,
        value_name: "FIRST-LAST",
        help: "UDP ports of relayed calls",
        more: "Open them in the firewall, or fewer: each relayed peer connection takes one or two.",
        set: |options, given| {
            options.server.relay_ports = value::ports(given.text())?;
            Ok(())
        },
        show: |options| {
            let ports = &options.server.relay_ports;
            vec![format!("{}-{}", ports.start(), ports.end())]
        },
        ..ROW
    },
    Setting {
        key: "external-ip",
        group: Group::Relay,
        shape: Shape::List,
        value_name: "IP",
        help: "Public addresses of a host behind a NAT",
        more: "Cloud machines often have a private address on the interface and a public one in \
               front: name the public one. Otherwise leave it alone.",
        unset: "auto",
        set: |options, given| {
            options.server.external_ip = match given.texts {
                [only] if only == "auto" => Vec::new(),
                _ => given.list(value::external_ip)?,
            };
            Ok(())
        },
        show: |options| texts(&options.server.external_ip),
        ..ROW
    },
    Setting {
        key: "turn-secret",
        group: Group::Relay,
        value_name: "SECRET",
        help: "Secret that signs time-limited credentials",
        more: "Other users of this host can read the command line: prefer --turn-secret-file or \
               the environment. Without one, a random secret is drawn at each start. With one, other programs issue credentials for this relay: user \
               name `EXPIRY:NAME`, password base64(HMAC-SHA1(SECRET, user name)).",
        unset: "random",
        secret: true,
        set: |options, given| {
            options.server.turn_secret = Some(value::secret(given.text())?);
            Ok(())
        },
        show: |options| options.server.turn_secret.iter().cloned().collect(),
        ..ROW
    },
    Setting {
        key: "turn-secret-file",
        group: Group::Relay,
        value_name: "FILE",
        help: "File that holds the secret of --turn-secret",
        more: "A line end at its end is no part of the secret.",
        set: |options, given| {
            options.turn_secret_file = Some(given.path());
            Ok(())
        },
        show: |options| path(options.turn_secret_file.as_deref()),
        ..ROW
    },
    Setting {
        key: "turn-user",
        group: Group::Relay,
        shape: Shape::List,
        value_name: "NAME:PASSWORD",
        help: "User of the relay with a fixed password",
        more: "Repeat it for more users. Browsers in a room need none. Other users of this host \
               can read the command line: prefer the file, in which a password may also hold a \
               comma.",
        secret: true,
        set: |options, given| {
            options.server.turn_users = given.list(value::user)?;
            Ok(())
        },
        show: |options| {
            let users = options.server.turn_users.iter();
            users.map(|(name, password)| format!("{name}:{password}")).collect()
        },
        ..ROW
    },
    Setting {
        key: "realm",
        group: Group::Relay,
        value_name: "NAME",
        help: "Realm of the TURN credentials",
        set: |options, given| {
            options.server.realm = value::realm(given.text())?;
            Ok(())
        },
        show: |options| vec![options.server.realm.clone()],
        ..ROW
    },
    Setting {
        key: "allow-peer",
        group: Group::Relay,
        shape: Shape::List,
        value_name: "CIDR",
        help: "Let the relay reach these addresses",
        more: "It refuses loopback, private, link-local and other special addresses, because a \
               relay that reaches them is a door into your network. Name what must be reached \
               all the same.",
        set: |options, given| {
            options.server.allow_peers = given.list(value::network)?;
            Ok(())
        },
        show: |options| texts(&options.server.allow_peers),
        ..ROW
    },
    Setting {
        key: "deny-peer",
        group: Group::Relay,
        shape: Shape::List,
        value_name: "CIDR",
        help: "Keep the relay from these addresses",
        set: |options, given| {
            options.server.deny_peers = given.list(value::network)?;
            Ok(())
        },
        show: |options| texts(&options.server.deny_peers),
        ..ROW
    },
    Setting {
        key: "tls-cert",
        group: Group::Certificates,
        value_name: "FILE",
        help: "Certificate chain (PEM) for HTTPS and TURN over TLS",
        more: "Without it a self-signed certificate is made once and kept in --data-dir.",
        set: |options, given| {
            options.tls_cert = Some(given.path());
            Ok(())
        },
        show: |options| path(options.tls_cert.as_deref()),
        ..ROW
    },
    Setting {
        key: "tls-key",
        group: Group::Certificates,
        value_name: "FILE",
        help: "Private key (PEM) of --tls-cert",
        set: |options, given| {
            options.tls_key = Some(given.path());
            Ok(())
        },
        show: |options| path(options.tls_key.as_deref()),
        ..ROW
    },
    Setting {
        key: "data-dir",
        group: Group::Certificates,
        value_name: "DIR",
        help: "Where the self-signed certificate is kept",
        more: "In full: $STATE_DIRECTORY (set by systemd), $XDG_DATA_HOME/talkie, \
               ~/.local/share/talkie, on macOS ~/Library/Application Support/talkie.",
        unset: "~/.local/share/talkie",
        set: |options, given| {
            options.server.data_dir = given.path();
            Ok(())
        },
        show: |options| path(Some(&options.server.data_dir)),
        ..ROW
    },
    Setting {
        key: "admin",
        value_name: "ADDR",
        help: "Health and metrics for the operator",
        more: "Serves /healthz, /readyz and /metrics (Prometheus). It asks for no password: keep \
               it on loopback or behind a firewall. `none` switches it off.",
        set: |options, given| {
            options.server.admin = match given.text() {
                value::NONE => None,
                text => Some(value::listen(text, LOCALHOST)?),
            };
            Ok(())
        },
        show: |options| {
            vec![
                options
                    .server
                    .admin
                    .map_or_else(|| value::NONE.to_owned(), |admin| admin.to_string()),
            ]
        },
        ..ROW
    },
    Setting {
        key: "drain-timeout",
        value_name: "TIME",
        help: "How long rooms may go on after the signal to stop",
        set: |options, given| {
            options.server.drain_timeout = value::duration(given.text())?;
            Ok(())
        },
        show: |options| vec![value::duration_text(options.server.drain_timeout)],
        ..ROW
    },
    Setting {
        key: "no-self-test",
        shape: Shape::Switch,
        value_name: "BOOL",
        help: "Skip the test of STUN and TURN at start",
        set: |options, given| {
            options.server.self_test = !value::switch(given.text())?;
            Ok(())
        },
        show: |options| vec![(!options.server.self_test).to_string()],
        ..ROW
    },
    Setting {
        key: "log",
        group: Group::Output,
        value_name: "FILTER",
        help: "What is logged to standard error",
        more: "A level (error, warn, info, debug, trace, off), or levels for parts: \
               `info,talkie_server=debug`.",
        set: |options, given| {
            options.log = value::log_filter(given.text())?;
            Ok(())
        },
        show: |options| vec![options.log.clone()],
        ..ROW
    },
    Setting {
        key: "log-format",
        group: Group::Output,
        value_name: "FORMAT",
        help: "auto, human or json",
        more: "auto: human on a terminal, otherwise one JSON object a line.",
        set: |options, given| {
            options.log_format = value::word(given.text(), LOG_FORMATS)?;
            Ok(())
        },
        show: |options| word(options.log_format, LOG_FORMATS),
        ..ROW
    },
    Setting {
        key: "no-qr",
        group: Group::Output,
        shape: Shape::Switch,
        value_name: "BOOL",
        help: "Print no QR code",
        set: |options, given| {
            options.qr = !value::switch(given.text())?;
            Ok(())
        },
        show: |options| vec![(!options.qr).to_string()],
        ..ROW
    },
    Setting {
        key: "color",
        group: Group::Output,
        value_name: "WHEN",
        help: "auto, always or never",
        more: "auto: on a terminal, unless NO_COLOR is set.",
        set: |options, given| {
            options.color = value::word(given.text(), COLORS)?;
            Ok(())
        },
        show: |options| word(options.color, COLORS),
        ..ROW
    },
];

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(T::to_string).collect()
}

fn path(path: Option<&Path>) -> Vec<String> {
    path.map(|path| path.display().to_string()).into_iter().collect()
}

fn word<T: Copy + PartialEq>(value: T, words: &[(&str, T)]) -> Vec<String> {
    let known = words.iter().find(|(_, known)| *known == value);
    known.map(|(word, _)| (*word).to_owned()).into_iter().collect()
}
