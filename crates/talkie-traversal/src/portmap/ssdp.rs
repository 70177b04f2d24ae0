//! Finding a UPnP gateway: a search by SSDP (UPnP Device Architecture 1.1, §1.3).
//!
//! It goes to the group that gateways listen on and to the gateway itself (§1.3.2 allows that).
//! Anybody on the link may answer, so only the gateway is listened to, and what it names has to be
//! on itself: an answer must not make us fetch from another host.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

/// Where searches are sent, beside the gateway itself.
pub const GROUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(239, 255, 255, 250), 1900);

/// The kinds of gateway: an answer to either will do.
pub const KINDS: [&str; 2] = [
    "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
];

/// The most fields of an answer.
const FIELDS: usize = 32;

/// A search for one of [`KINDS`]. With `MX: 1` a device answers within a second (§1.3.3).
#[must_use]
pub fn search(kind: &str) -> Vec<u8> {
    format!(
        "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n\
         ST: {kind}\r\n\r\n"
    )
    .into_bytes()
}

/// Where an answer says that the description lies, if that is on the gateway: address and path.
#[must_use]
pub fn location(answer: &[u8], gateway: Ipv4Addr) -> Option<(SocketAddr, String)> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    response.parse(answer).ok()?;
    if response.code != Some(200) {
        return None;
    }
    let field = |name: &str| {
        let field = response.headers.iter().find(|it| it.name.eq_ignore_ascii_case(name))?;
        str::from_utf8(field.value).ok()
    };
    if !KINDS.contains(&field("ST")?) {
        return None;
    }
    on_gateway(field("LOCATION")?, gateway)
}

/// Address and path of an `http` URL on the gateway, by its address.
pub(super) fn on_gateway(url: &str, gateway: Ipv4Addr) -> Option<(SocketAddr, String)> {
    let rest = url.trim().strip_prefix("http://")?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let address = match authority.parse::<SocketAddrV4>() {
        Ok(address) => address,
        Err(_) => SocketAddrV4::new(authority.parse().ok()?, 80),
    };
    let ours = *address.ip() == gateway && address.port() != 0 && is_path(path);
    ours.then(|| (SocketAddr::V4(address), path.to_owned()))
}

/// Whether it can stand in a request's first line.
pub(super) fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);

    fn answer(location: &str) -> Vec<u8> {
        format!(
            "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nSt: {}\r\nLocation: {location}\r\n\
             EXT:\r\n\r\n",
            KINDS[0]
        )
        .into_bytes()
    }

    #[test]
    fn a_description_on_the_gateway_is_taken() {
        let found = location(&answer("http://192.168.1.1:5000/root.xml"), GATEWAY);
        assert_eq!(found, Some(("192.168.1.1:5000".parse().unwrap(), "/root.xml".to_owned())));
        let found = location(&answer("http://192.168.1.1"), GATEWAY);
        assert_eq!(found, Some(("192.168.1.1:80".parse().unwrap(), "/".to_owned())));
    }

    #[test]
    fn a_description_elsewhere_is_not() {
        for elsewhere in [
            "http://127.0.0.1:8080/",
            "http://192.168.1.2:5000/root.xml",
            "http://192.168.1.1@10.0.0.1/",
            "http://192.168.1.1:0/",
            "http://192.168.1.1/a b",
            "http://router.example/root.xml",
            "https://192.168.1.1/",
            "file:///etc/passwd",
            "",
        ] {
            assert_eq!(location(&answer(elsewhere), GATEWAY), None, "{elsewhere}");
        }
        assert_eq!(location(b"HTTP/1.1 404 Not Found\r\n\r\n", GATEWAY), None);
        assert_eq!(location(&[0xff; 100], GATEWAY), None);
    }
}
