//! Flags, variables, the file, which of them wins, and what a wrong one is told.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::program::{Said, run, talkie};

struct File {
    folder: TempDir,
    path: PathBuf,
}

fn file(text: &str) -> File {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("talkie.toml");
    fs::write(&path, text).expect("writable");
    File { folder, path }
}

impl File {
    fn flag(&self) -> String {
        format!("--config={}", self.path.display())
    }
}

fn printed(args: &[&str], variables: &[(&str, &str)]) -> String {
    let said = said(args, variables);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    said.stdout
}

fn said(args: &[&str], variables: &[(&str, &str)]) -> Said {
    let mut command = talkie(&["serve", "--print-config"]);
    run(command.args(args).envs(variables.iter().copied()))
}

/// The value and the origin of `key` in what `--print-config` prints.
fn setting<'a>(printed: &'a str, key: &str) -> (&'a str, &'a str) {
    let start = format!("{key} = ");
    let line = printed.lines().find_map(|line| line.strip_prefix(&start));
    let line = line.unwrap_or_else(|| panic!("no `{key}` in\n{printed}"));
    let (value, origin) = line.rsplit_once(" # ").expect("an origin");
    (value.trim(), origin)
}

/// Two values for each key: one for the stronger place, one for the weaker.
const VALUES: [(&str, &str, &str); 19] = [
    ("http", "127.0.0.1:1", "127.0.0.2:2"),
    ("https", "127.0.0.1:1", "[::1]:2"),
    ("trust-proxy", "127.0.0.0/8", "fd00::/8"),
    ("origin", "https://one.example", "http://two.example:8080"),
    ("allow-host", "talk.example", ".two.example"),
    ("turn", "127.0.0.1:1", "127.0.0.1:2"),
    ("alternate-port", "4000", "none"),
    ("alternate-ip", "203.0.113.8", "203.0.113.9/10.0.0.9"),
    ("turns", "127.0.0.1:1", "127.0.0.1:2"),
    ("relay-ports", "1000-2000", "3000-4000"),
    ("external-ip", "203.0.113.1", "2001:db8::1"),
    ("realm", "one", "two"),
    ("allow-peer", "10.0.0.0/8", "10.1.0.0/16"),
    ("deny-peer", "8.8.8.8/32", "fd00::/8"),
    ("admin", "127.0.0.1:1", "none"),
    ("drain-timeout", "5s", "250ms"),
    ("log", "debug", "warn"),
    ("log-format", "json", "human"),
    ("color", "never", "always"),
];

#[test]
fn flag_wins_over_variable_over_file_over_default() {
    let defaults = printed(&[], &[]);
    for (key, strong, weak) in VALUES {
        let variable = format!("TALKIE_{}", key.replace('-', "_").to_uppercase());
        let config = file(&format!("{key} = \"{weak}\"\n"));
        let flag = format!("--{key}={strong}");

        let (default, origin) = setting(&defaults, key);
        assert!(!default.contains(strong) && !default.contains(weak), "{key} = {default}");
        assert!(origin.starts_with("default"), "{key}: {origin}");

        let text = printed(&[&config.flag()], &[]);
        let (value, origin) = setting(&text, key);
        assert!(value.contains(weak), "{key} = {value}");
        assert_eq!(origin, config.path.display().to_string());

        let text = printed(&[&config.flag()], &[(&variable, strong)]);
        let (value, origin) = setting(&text, key);
        assert!(value.contains(strong) && !value.contains(weak), "{key} = {value}");
        assert_eq!(origin, format!("env {variable}"));

        let text = printed(&[&config.flag(), &flag], &[(&variable, weak)]);
        let (value, origin) = setting(&text, key);
        assert!(value.contains(strong) && !value.contains(weak), "{key} = {value}");
        assert_eq!(origin, format!("flag --{key}"));
    }
}

#[test]
fn switches_can_be_turned_back_off_in_a_stronger_place() {
    for key in ["no-turn", "no-self-test", "no-qr"] {
        let variable = format!("TALKIE_{}", key.replace('-', "_").to_uppercase());
        assert_eq!(setting(&printed(&[], &[]), key).0, "false");
        let config = file(&format!("{key} = true\n"));
        assert_eq!(setting(&printed(&[&config.flag()], &[]), key).0, "true");
        let text = printed(&[&config.flag()], &[(&variable, "off")]);
        assert_eq!(setting(&text, key).0, "false");
        let text = printed(&[&config.flag(), &format!("--{key}")], &[(&variable, "off")]);
        assert_eq!(setting(&text, key).0, "true");
        let text = printed(&[&config.flag(), &format!("--{key}=false")], &[]);
        assert_eq!(setting(&text, key).0, "false");
    }
}

#[test]
fn lists_take_commas_and_repetition_and_none() {
    let text = printed(&["--allow-peer=10.0.0.0/8, fd00::/8", "--allow-peer=192.168.1.7"], &[]);
    let expected = "[\"10.0.0.0/8\", \"fd00::/8\", \"192.168.1.7/32\"]";
    assert_eq!(setting(&text, "allow-peer").0, expected);

    let config = file("allow-peer = [\"10.0.0.0/8\"]\nhttps = []\nexternal-ip = \"auto\"\n");
    let text = printed(&[&config.flag(), "--allow-peer=none", "--http=none"], &[]);
    for key in ["allow-peer", "http", "https", "external-ip"] {
        assert_eq!(setting(&text, key).0, "[]", "{key}");
    }
}

#[test]
fn config_file_may_come_from_its_variable_and_its_paths_start_from_it() {
    let config = file("tls-cert = \"cert.pem\"\ntls-key = \"/etc/key.pem\"\n");
    let text = printed(&[], &[("TALKIE_CONFIG", config.path.to_str().expect("UTF-8"))]);
    let cert = config.folder.path().join("cert.pem");
    assert_eq!(setting(&text, "tls-cert").0, format!("{:?}", cert.display().to_string()));
    assert_eq!(setting(&text, "tls-key").0, "\"/etc/key.pem\"");
}

#[test]
fn printed_configuration_is_a_file_with_the_same_effect() {
    let args = ["--http=none", "--realm=it's a \"realm\" \\"];
    assert_eq!(said(&args, &[]).code, Some(2), "quotes are no part of a realm");
    let args =
        ["--http=none", "--realm=it's # one", "--no-turn", "--admin=none", "--drain-timeout=90s"];
    let first = printed(&args, &[("TALKIE_ALLOW_PEER", "10.0.0.0/8")]);
    let config = file(&first);
    let second = printed(&[&config.flag()], &[]);
    for line in first.lines().filter(|line| line.contains(" = ") && !line.starts_with('#')) {
        let key = line.split(' ').next().expect("a key");
        assert_eq!(setting(&first, key).0, setting(&second, key).0, "{key}");
    }
    assert_eq!(setting(&second, "realm").0, "\"it's # one\"");
}

#[test]
fn secrets_are_never_printed() {
    let secret = "correct-horse-battery-staple";
    let users = format!("alice:{secret}");
    let text = printed(&[], &[("TALKIE_TURN_SECRET", secret), ("TALKIE_TURN_USER", &users)]);
    assert!(!text.contains(secret), "{text}");
    assert!(text.contains("# turn-secret = (set, not shown)"), "{text}");
    assert!(text.contains("# turn-user = (set, not shown)"), "{text}");
}

#[test]
fn secret_comes_from_a_value_or_a_file_but_not_from_both() {
    let config = file("turn-secret-file = \"secret\"\n");
    let secret = config.folder.path().join("secret");
    let code = |args: &[&str], variables: &[(&str, &str)]| {
        let said = said(args, variables);
        (said.code, said.stderr)
    };
    let (status, error) = code(&[&config.flag()], &[]);
    assert_eq!(status, Some(2));
    assert!(error.contains("cannot read") && error.contains("secret"), "{error}");
    fs::write(&secret, "\n").expect("writable");
    let (status, error) = code(&[&config.flag()], &[]);
    assert!(status == Some(2) && error.contains("the secret is empty"), "{error}");
    // A value in a stronger place spares the file.
    assert_eq!(code(&[&config.flag()], &[("TALKIE_TURN_SECRET", "0123456789abcdef")]).0, Some(0));
    fs::write(&secret, "0123456789abcdef\n").expect("writable");
    assert_eq!(code(&[&config.flag()], &[]).0, Some(0));
    let path = secret.to_str().expect("UTF-8");
    let (status, error) =
        code(&["--turn-secret=0123456789abcdef", "--turn-secret-file", path], &[]);
    assert!(status == Some(2) && error.contains("keep one"), "{error}");
}

#[test]
fn unknown_keys_and_wrong_types_are_refused_with_file_and_line() {
    for (text, expected) in [
        (
            "http = 80\nrelay-port = 5\n",
            ":2: unknown key `relay-port`; did you mean `relay-ports`?",
        ),
        ("TURN = \"none\"", ":1: unknown key `TURN`"),
        ("config = \"other.toml\"", ":1: unknown key `config`"),
        ("\n\nno-turn = 1", ":3: `no-turn` wants true or false, and this is a number"),
        ("realm = [\"a\"]", ":1: `realm` wants a text in quotes or a number, and this is a list"),
        ("# a\nhttps = \"web\"", ":2: `https`: `web` is not an address to listen on"),
        ("https = 8443\nhttps = 8444", ":2: "),
    ] {
        let config = file(text);
        let said = said(&[&config.flag()], &[]);
        assert_eq!(said.code, Some(2), "{text}");
        let expected = format!("error: {}{expected}", config.path.display());
        assert!(said.stderr.starts_with(&expected), "{text}: {}", said.stderr);
    }
}

#[test]
fn wrong_values_name_their_place_and_a_good_one() {
    for (args, variables, expected) in [
        (&["--http=web"][..], &[][..], "error: --http: `web` is not an address"),
        (
            &[],
            &[("TALKIE_HTTP", "::1")],
            "error: TALKIE_HTTP: `::1` has no port (meant [::1]:8080?)",
        ),
        (&["--relay-ports=9-1"], &[], "error: --relay-ports: `9-1` ends before it starts"),
        (&["--allow-peer=10.0.0.1/8"], &[], "error: --allow-peer: `10.0.0.1/8` has bits set"),
        (&["--external-ip=::"], &[], "error: --external-ip: nobody can reach"),
        (&["--alternate-port=next"], &[], "error: --alternate-port: `next` is not a port"),
        (&["--alternate-ip=::"], &[], "error: --alternate-ip: nobody can reach"),
        (&["--alternate-ip=127.0.0.2/::1"], &[], "error: --alternate-ip: 127.0.0.2 and ::1"),
        (&["--alternate-ip=127.0.0.2,127.0.0.3"], &[], "error: --alternate-ip: there is one"),
        (&["--drain-timeout=soon"], &[], "error: --drain-timeout: `soon` is not a time"),
        (&[], &[("TALKIE_NO_TURN", "maybe")], "error: TALKIE_NO_TURN: `maybe` is neither"),
        (&["--color=blue"], &[], "error: --color: `blue` is not a known word"),
        (&["--log=a=b=c"], &[], "error: --log: `a=b=c` is not a filter"),
        (&["--turn-user=alice"], &[], "error: --turn-user: a user is NAME:PASSWORD"),
    ] {
        let said = said(args, variables);
        assert_eq!(said.code, Some(2), "{expected}");
        assert!(said.stderr.starts_with(expected), "{}", said.stderr);
        assert!(said.stderr.contains("a good value: "), "{}", said.stderr);
    }
    let said = said(&["--tls-cert=a.pem"], &[]);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("--tls-key is not"), "{}", said.stderr);
}

#[test]
fn an_alternate_address_that_nobody_named_is_not_one_that_was_switched_off() {
    let text = printed(&[], &[]);
    assert_eq!(setting(&text, "alternate-ip"), ("[\"auto\"]", "default"));
    let config = file(&text);
    let again = printed(&[&config.flag()], &[]);
    assert_eq!(setting(&again, "alternate-ip").0, "[\"auto\"]");
    let text = printed(&["--alternate-ip=none"], &[]);
    assert_eq!(setting(&text, "alternate-ip").0, "[]");
    let config = file(&text);
    assert_eq!(setting(&printed(&[&config.flag()], &[]), "alternate-ip").0, "[]");
}

#[test]
fn an_empty_variable_is_not_set() {
    let text = printed(&[], &[("TALKIE_HTTP", "")]);
    assert_eq!(setting(&text, "http"), ("[\"127.0.0.1:8080\"]", "default"));
}
