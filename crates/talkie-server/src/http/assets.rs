//! The web app's files: inside the binary in release builds, from disk in debug builds.
//!
//! Each file is compressed once, when it is first asked for. Its name carries no version, so a
//! browser asks again each time and is mostly told that nothing has changed (304). Release builds put
//! modules together, and so the style sheets of the page; debug builds serve all as it stands on disk.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use rust_embed::Embed;
use sha2::{Digest as _, Sha256};

use super::page::{self, PAGE};
use super::{comments, pack};

#[derive(Embed)]
#[folder = "web/"]
struct Web;

/// The files by path, ready to be sent.
#[derive(Debug)]
pub(crate) struct Assets {
    /// What is served instead of the files at these paths (no leading slash).
    packed: HashMap<String, String>,
    /// Bounded by the number of files there are.
    ready: Mutex<HashMap<String, Arc<Asset>>>,
}

/// One file in each encoding that is worth it.
#[derive(Debug)]
struct Asset {
    hash: [u8; 32],
    media_type: &'static str,
    identity: Bytes,
    gzip: Option<Bytes>,
    brotli: Option<Bytes>,
}

impl Assets {
    pub(crate) fn new() -> Self {
        let packed = if cfg!(debug_assertions) { HashMap::new() } else { packed() };
        Self { packed, ready: Mutex::default() }
    }

    /// The file at `path` (no leading slash) as an answer to a request with `headers`; `None` if
    /// there is none.
    pub(crate) fn respond(&self, path: &str, headers: &HeaderMap) -> Option<Response> {
        let asset = self.asset(path)?;
        let (body, encoding) = asset.negotiate(headers);
        let tag = BASE64_URL_SAFE_NO_PAD.encode(&asset.hash[..12]);
        // RFC 9110 §8.8.3.3: each encoding is a representation of its own.
        let tag = format!("\"{tag}-{}\"", encoding.unwrap_or("id"));
        let mut fields = vec![
            (ETAG, HeaderValue::from_str(&tag).ok()?),
            (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (VARY, HeaderValue::from_name(ACCEPT_ENCODING)),
        ];
        if matches(headers, &tag) {
            return Some((StatusCode::NOT_MODIFIED, HeaderMap::from_iter(fields)).into_response());
        }
        fields.push((CONTENT_TYPE, HeaderValue::from_static(asset.media_type)));
        fields.extend(
            encoding.map(|encoding| (CONTENT_ENCODING, HeaderValue::from_static(encoding))),
        );
        let mut response = axum::body::Body::from(body).into_response();
        response.headers_mut().extend(fields.into_iter().map(|(name, value)| (Some(name), value)));
        Some(response)
    }

    fn asset(&self, path: &str) -> Option<Arc<Asset>> {
        let media_type = media_type(path)?;
        let (identity, hash) = self.content(path)?;
        let ready = || self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asset) = ready().get(path).filter(|asset| asset.hash == hash) {
            return Some(Arc::clone(asset));
        }
        let worth =
            |packed: Vec<u8>| (packed.len() + 64 < identity.len()).then(|| Bytes::from(packed));
        let asset = Arc::new(Asset {
            hash,
            media_type,
            gzip: gzip(&identity).and_then(worth),
            brotli: brotli(&identity).and_then(worth),
            identity,
        });
        ready().insert(path.to_owned(), Arc::clone(&asset));
        Some(asset)
    }

    /// What is served at `path`, and the hash of what it is made of.
    fn content(&self, path: &str) -> Option<(Bytes, [u8; 32])> {
        if let Some(packed) = self.packed.get(path) {
            return Some((packed.clone().into(), Sha256::digest(packed).into()));
        }
        own(path)
    }
}

/// A file as it is served by itself, and the hash of what stands on disk.
fn own(path: &str) -> Option<(Bytes, [u8; 32])> {
    let file = Web::get(path)?;
    let hash = file.metadata.sha256_hash();
    let module = path.starts_with("app/");
    let data = if module { comments::left_out(&file.data) } else { file.data.into_owned() };
    Some((data.into(), hash))
}

/// The app's modules and the page's style sheets, put together.
fn packed() -> HashMap<String, String> {
    let read = |path: &str| {
        let (content, _) = own(path.trim_start_matches('/'))?;
        String::from_utf8(content.into()).ok()
    };
    let mut packed = pack::pack(&pack::ENTRIES, read).unwrap_or_else(|error| {
        tracing::warn!(%error, "the web app's modules are served one by one");
        HashMap::new()
    });
    if packed.is_empty() {
        return packed;
    }
    packed.extend(read(PAGE).and_then(|html| page::packed(&html, read)).into_iter().flatten());
    packed.into_iter().map(|(path, text)| (path.trim_start_matches('/').to_owned(), text)).collect()
}

impl Asset {
    fn negotiate(&self, headers: &HeaderMap) -> (Bytes, Option<&'static str>) {
        let packed = [("br", &self.brotli), ("gzip", &self.gzip)];
        packed
            .into_iter()
            .find_map(|(name, bytes)| {
                let bytes = bytes.as_ref().filter(|_| accepts(headers, name))?;
                Some((bytes.clone(), Some(name)))
            })
            .unwrap_or_else(|| (self.identity.clone(), None))
    }
}

/// The type of a file that is for browsers; `None` for every other file and for a path that is
/// none. Nothing is decoded: a path with `%` or `..` is no file's.
fn media_type(path: &str) -> Option<&'static str> {
    let is_name = |segment: &str| {
        !segment.is_empty()
            && !segment.starts_with('.')
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    if path.len() > 200 || !path.split('/').all(is_name) {
        return None;
    }
    let (_, extension) = path.rsplit_once('.')?;
    Some(match extension {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "ico" => "image/x-icon",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

/// RFC 9110 §12.5.3: whether `coding` may be used; a weight of 0 forbids it.
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    list(headers, ACCEPT_ENCODING).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let refused = parts
            .filter_map(|part| part.strip_prefix("q="))
            .any(|weight| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0));
        named && !refused
    })
}

/// RFC 9110 §13.1.2: whether the browser has this representation already (weak comparison).
fn matches(headers: &HeaderMap, tag: &str) -> bool {
    list(headers, IF_NONE_MATCH)
        .any(|item| item == "*" || item.strip_prefix("W/").unwrap_or(item) == tag)
}

/// The items of a comma-separated field.
fn list(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','))
        .map(str::trim)
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(8));
    encoder.write_all(bytes).and_then(|()| encoder.finish()).ok()
}

fn brotli(bytes: &[u8]) -> Option<Vec<u8>> {
    // Quality 9: the last step before the search becomes ten times slower.
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 9, 20);
    encoder.write_all(bytes).and_then(|()| encoder.flush()).ok()?;
    Some(encoder.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_for_browsers_is_served() {
        assert!(media_type("app/main.js").is_some());
        assert_eq!(media_type("manifest.webmanifest"), Some("application/manifest+json"));
        assert_eq!(media_type("icons/192.png"), Some("image/png"));
        for path in [
            "",
            "app",
            "jsconfig.json",
            "../Cargo.toml",
            "app/../index.html",
            "app//main.js",
            "%2e%2e/index.html",
            ".git/x.js",
            "/etc/x.txt",
            "a\\b.js",
            "app/\0.js",
        ] {
            assert_eq!(media_type(path), None, "{path}");
        }
    }

    #[test]
    fn encodings_are_negotiated() {
        let with = |value: &'static str| {
            HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))])
        };
        assert!(accepts(&with("gzip, deflate, br"), "br"));
        assert!(accepts(&with("GZIP;q=0.5"), "gzip"));
        assert!(!accepts(&with("br;q=0, gzip"), "br"));
        assert!(!accepts(&with("broken"), "br"));
    }
}
