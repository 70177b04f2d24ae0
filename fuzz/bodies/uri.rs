//! Any text as the URI of a STUN or TURN server: what is read is printed so that it is read again.

use talkie_traversal::uri::Uri;

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match text.parse::<Uri>() {
        Ok(uri) => {
            assert_ne!(uri.port(), 0);
            assert_eq!(uri.to_string().parse(), Ok(uri));
        }
        Err(error) => assert!(error.to_string().len() < 3000),
    }
}
