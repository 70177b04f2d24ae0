//! `--help`, `-h` and `--version`.

use crate::program::{run, talkie};

/// Every flag of `serve`, with its environment variable where it has one.
const FLAGS: [&str; 30] = [
    "http",
    "https",
    "trust-proxy",
    "origin",
    "allow-host",
    "turn",
    "alternate-port",
    "alternate-ip",
    "turns",
    "no-turn",
    "relay-ports",
    "external-ip",
    "turn-secret",
    "turn-secret-file",
    "turn-user",
    "realm",
    "allow-peer",
    "deny-peer",
    "tls-cert",
    "tls-key",
    "data-dir",
    "admin",
    "drain-timeout",
    "no-self-test",
    "config",
    "log",
    "log-format",
    "no-qr",
    "color",
    "print-config",
];

#[test]
fn help_lists_every_flag_its_variable_and_its_group() {
    let said = run(&mut talkie(&["serve", "--help"]));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    for flag in FLAGS {
        let listed = said.stdout.lines().any(|line| {
            let line = line.trim_start();
            line.strip_prefix("--")
                .and_then(|line| line.strip_prefix(flag))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '[']))
        });
        assert!(listed, "--{flag} is not in\n{}", said.stdout);
        let variable = format!("[env: TALKIE_{}]", flag.replace('-', "_").to_uppercase());
        assert_eq!(said.stdout.contains(&variable), flag != "print-config", "{variable}");
    }
    let listed = said.stdout.lines().filter(|line| line.trim_start().starts_with("--")).count();
    assert_eq!(listed, FLAGS.len(), "a flag is not in the list of this test");
    for text in [
        "\nWeb:\n",
        "\nTURN relay:\n",
        "\nCertificates and data:\n",
        "\nOperation:\n",
        "\nOutput:\n",
        "\nExamples:\n",
        "\nSignals:\n",
        "\nExit codes:\n",
        "[default: 127.0.0.1:8080]",
        "[default: 49152-65535]",
        "[default: auto]",
        "Other users of this host can read the command line",
    ] {
        assert!(said.stdout.contains(text), "`{text}` is not in\n{}", said.stdout);
    }
}

#[test]
fn operators_page_has_every_flag() {
    let page = include_str!("../../../../docs/serve.md");
    for flag in FLAGS {
        let row = page.lines().any(|line| {
            line.strip_prefix(&format!("| `--{flag}"))
                .is_some_and(|rest| rest.starts_with(['`', ' ']))
        });
        assert!(row, "--{flag} has no row in docs/serve.md");
    }
}

#[test]
fn short_help_is_one_screen_with_defaults_and_examples() {
    let short = run(&mut talkie(&["serve", "-h"]));
    let long = run(&mut talkie(&["serve", "--help"]));
    assert_eq!(short.code, Some(0));
    assert!(short.stdout.lines().count() <= 60, "{}", short.stdout);
    assert!(short.stdout.lines().count() * 2 < long.stdout.lines().count());
    assert!(short.stdout.contains("[default: 0.0.0.0:8443]"));
    assert!(short.stdout.contains("\nExamples:\n"));
    assert!(!short.stdout.contains("[env:"));
}

#[test]
fn version_is_the_packages() {
    let said = run(&mut talkie(&["--version"]));
    assert_eq!(said.stdout, format!("talkie {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_command_lines_end_with_code_2() {
    for args in [&[][..], &["sevre"], &["serve", "--htps=1"], &["serve", "extra"]] {
        let said = run(&mut talkie(args));
        assert_eq!(said.code, Some(2), "{args:?}");
    }
    let said = run(&mut talkie(&["serve", "--htps=1"]));
    assert!(said.stderr.contains("'--https'"), "{}", said.stderr);
}

#[test]
fn no_line_of_help_is_wider_than_100_columns() {
    let commands: [&[&str]; 14] = [
        &[],
        &["serve"],
        &["doctor"],
        &["ice"],
        &["completions"],
        &["lab"],
        &["lab", "list"],
        &["lab", "matrix"],
        &["lab", "show"],
        &["lab", "flow"],
        &["lab", "up"],
        &["lab", "exec"],
        &["lab", "status"],
        &["lab", "down"],
    ];
    for command in commands {
        for flag in ["--help", "-h"] {
            let said = run(talkie(command).arg(flag));
            let widest = said.stdout.lines().max_by_key(|line| line.chars().count());
            let widest = widest.expect("help");
            assert!(widest.chars().count() <= 100, "{command:?} {flag}: {widest}");
        }
    }
}
