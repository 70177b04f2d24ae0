use super::*;

const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

fn wrong<T: fmt::Debug>(result: Result<T, Invalid>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn listening_addresses_are_read_in_every_usual_form() {
    for (text, expected) in [
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("[::1]:8080", "[::1]:8080"),
        ("8080", "0.0.0.0:8080"),
        (":8080", "0.0.0.0:8080"),
        ("*:0", "0.0.0.0:0"),
        ("localhost:80", "127.0.0.1:80"),
    ] {
        assert_eq!(listen(text, ANY), Ok(expected.parse().unwrap()), "{text}");
    }
}

#[test]
fn a_wrong_listening_address_is_told_what_is_wrong() {
    for (text, problem) in [
        ("0.0.0.0", "`0.0.0.0` has no port (meant 0.0.0.0:8080?)"),
        ("::1", "`::1` has no port (meant [::1]:8080?)"),
        ("2001:db8::8:http", "`http` is not a port"),
        ("127.0.0.1:99999", "`99999` is not a port (0 to 65535)"),
        ("99999", "`99999` is not a port"),
        ("example.org:80", "`example.org` is not an IP address of this host"),
        ("", "`` is not an address to listen on"),
        ("web", "`web` is not an address to listen on"),
    ] {
        let error = wrong(listen(text, ANY));
        assert!(error.contains(problem), "{text}: {error}");
        assert!(error.ends_with("a good value: 0.0.0.0:8080, 8080, [::]:8080 or none"), "{error}");
    }
    let error = wrong(listen("fe80::1%eth0:80", ANY));
    assert!(error.contains("is not an IP address of this host"), "{error}");
}

#[test]
fn port_ranges_are_ordered_and_do_not_start_at_zero() {
    assert_eq!(ports("49152-65535"), Ok(49152..=65535));
    assert_eq!(ports("5000 - 5000"), Ok(5000..=5000));
    assert!(wrong(ports("5000")).contains("not a range FIRST-LAST"));
    assert!(wrong(ports("6000-5000")).contains("ends before it starts"));
    assert!(wrong(ports("0-5000")).contains("cannot start at 0"));
    assert!(wrong(ports("1-65536")).contains("`65536` is not a port"));
}

#[test]
fn networks_have_no_bits_beyond_their_prefix() {
    assert_eq!(network("10.0.0.0/8").unwrap().to_string(), "10.0.0.0/8");
    assert_eq!(network("192.168.1.7").unwrap().to_string(), "192.168.1.7/32");
    assert_eq!(network("::1").unwrap().to_string(), "::1/128");
    assert!(wrong(network("10.1.2.3/8")).contains("(meant 10.0.0.0/8?)"));
    assert!(wrong(network("10.0.0.0/33")).contains("is not a network"));
    assert!(wrong(network("lan")).contains("a good value: 10.0.0.0/8"));
}

#[test]
fn external_addresses_are_addresses_somebody_can_reach() {
    assert_eq!(external_ip("203.0.113.7"), Ok("203.0.113.7".parse().unwrap()));
    assert!(wrong(external_ip("0.0.0.0")).contains("nobody can reach"));
    assert!(wrong(external_ip("ff02::1")).contains("nobody can reach"));
    assert!(wrong(external_ip("talk.example.org")).contains("is not an IP address"));
}

#[test]
fn times_carry_units() {
    for (text, millis) in
        [("30", 30_000), ("30s", 30_000), ("500ms", 500), ("2m", 120_000), ("1 h", 3_600_000)]
    {
        let time = duration(text).unwrap();
        assert_eq!(time, Duration::from_millis(millis), "{text}");
        assert_eq!(duration(&duration_text(time)), Ok(time));
    }
    assert!(wrong(duration("5 parsecs")).contains("`parsecs` is not a unit of time"));
    assert!(wrong(duration("soon")).contains("`soon` is not a time"));
    assert!(wrong(duration("-1s")).contains("is not a time"));
    assert!(wrong(duration("25h")).contains("above a day"));
    assert!(wrong(duration("18446744073709551615h")).contains("above a day"));
    assert!(wrong(duration("3µ")).contains("`µ` is not a unit"));
}

#[test]
fn a_wrong_user_does_not_show_its_password() {
    assert_eq!(user("alice:a:b"), Ok(("alice".into(), "a:b".into())));
    for text in ["hunter2", ":hunter2"] {
        let error = wrong(user(text));
        assert!(!error.contains("hunter2"), "{error}");
        assert!(error.contains("a good value: alice:correct-horse"), "{error}");
    }
    assert!(wrong(user("alice:")).contains("password behind the colon is empty"));
    assert!(wrong(user(&format!("{}:x", "n".repeat(509)))).contains("longer than 508"));
}

#[test]
fn a_secret_is_anything_but_empty() {
    assert_eq!(secret("hunter2"), Ok("hunter2".into()));
    assert!(wrong(secret("")).contains("empty"));
}

#[test]
fn realms_are_short_and_quotable() {
    assert_eq!(realm("talk.example.org"), Ok("talk.example.org".into()));
    assert!(wrong(realm("")).contains("empty"));
    assert!(wrong(realm(&"r".repeat(128))).contains("longer than 127"));
    assert!(wrong(realm("a\"b")).contains("quote"));
}

#[test]
fn switches_take_the_usual_words() {
    for (text, on) in [("1", true), ("Yes", true), ("off", false), ("false", false)] {
        assert_eq!(switch(text), Ok(on));
    }
    assert!(wrong(switch("maybe")).contains("`maybe` is neither true nor false"));
}

#[test]
fn unknown_words_are_told_the_known_ones() {
    let words = [("auto", 1), ("never", 2)];
    assert_eq!(word("never", &words), Ok(2));
    assert!(wrong(word("no", &words)).ends_with("a good value: auto, never"));
}

#[test]
fn a_host_pattern_is_a_name_alone() {
    assert_eq!(host_pattern("Talk.Example").as_deref(), Ok("talk.example"));
    assert_eq!(host_pattern(".example").as_deref(), Ok(".example"));
    for text in ["https://talk.example", "talk.example:443", "*.example", ""] {
        assert!(wrong(host_pattern(text)).contains("a good value: talk.example.org"), "{text}");
    }
}

#[test]
fn origins_are_what_browsers_send() {
    for (text, expected) in [
        ("https://app.example.org", "https://app.example.org"),
        ("https://App.Example.org:443/", "https://app.example.org"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:443", "http://localhost:443"),
    ] {
        assert_eq!(origin(text).as_deref(), Ok(expected));
    }
    for text in
        ["", "app.example.org", "ftp://a", "https://", "https://a/b", "https://a b", "*", "null"]
    {
        assert!(wrong(origin(text)).contains("a good value: https://app.example.org"), "{text}");
    }
}
