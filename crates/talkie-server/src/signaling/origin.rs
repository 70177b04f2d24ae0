//! Cross-site WebSocket hijacking: a browser lets any page open a WebSocket to any host, and only
//! tells in `Origin` which page it was. A page of another origin is refused.

/// Whether a page of `origin` may connect to `host`, both as the browser sent them; `secure`: over
/// TLS. A client without an `Origin` is no browser and may.
pub(super) fn is_allowed(
    origin: Option<&str>,
    host: Option<&str>,
    secure: bool,
    extra: &[String],
) -> bool {
    let Some(origin) = origin else { return true };
    if extra.iter().any(|allowed| allowed.trim_end_matches('/').eq_ignore_ascii_case(origin)) {
        return true;
    }
    // RFC 6454 §7: an origin that must not be told is `null`; it has no scheme and is foreign.
    let (Some((scheme, authority)), Some(host)) = (origin.split_once("://"), host) else {
        return false;
    };
    let default_port = match scheme {
        "https" => ":443",
        // What came over TLS is no page of the plain listener, which anybody on the way can forge.
        // The other way round is a proxy that ends TLS.
        "http" if !secure => ":80",
        _ => return false,
    };
    let plain =
        |authority: &str| authority.to_ascii_lowercase().trim_end_matches(default_port).to_owned();
    !authority.is_empty() && plain(authority) == plain(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_page_s_own_host_or_a_named_origin_may_connect() {
        let extra = ["https://app.example.org/".to_owned()];
        let table = [
            (None, Some("talk.example"), true),
            (None, None, true),
            (Some("https://talk.example"), Some("talk.example"), true),
            (Some("https://TALK.example"), Some("talk.Example:443"), true),
            (Some("https://talk.example:443"), Some("talk.example"), true),
            (Some("http://localhost:8080"), Some("localhost:8080"), true),
            (Some("http://[::1]:8080"), Some("[::1]:8080"), true),
            (Some("http://[::1]"), Some("[::1]:80"), true),
            (Some("https://app.example.org"), Some("talk.example"), true),
            (Some("https://app.example.org.evil.example"), Some("talk.example"), false),
            (Some("https://evil.example"), Some("talk.example"), false),
            (Some("https://talk.example.evil.example"), Some("talk.example"), false),
            (Some("https://eviltalk.example"), Some("talk.example"), false),
            (Some("https://talk.example:8443"), Some("talk.example"), false),
            (Some("http://localhost:3000"), Some("localhost:8080"), false),
            (Some("https://talk.example"), None, false),
            (Some("null"), Some("null"), false),
            (Some("null"), Some("talk.example"), false),
            (Some("https://"), Some(""), false),
            (Some("file://talk.example"), Some("talk.example"), false),
            (Some(""), Some(""), false),
        ];
        for (origin, host, allowed) in table {
            let answer = is_allowed(origin, host, false, &extra);
            assert_eq!(answer, allowed, "{origin:?} to {host:?}");
            let plain = origin.is_some_and(|origin| origin.starts_with("http://"));
            let answer = is_allowed(origin, host, true, &extra);
            assert_eq!(answer, allowed && !plain, "{origin:?} to {host:?} over TLS");
        }
    }
}
