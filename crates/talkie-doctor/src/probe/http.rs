//! One HTTP request over a connection of its own: bounded head, bounded body, no redirects.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// The most bytes of a head. Hyper takes no less than 8 KiB.
const HEAD: usize = 16 << 10;
/// The most header fields.
const FIELDS: usize = 100;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// The target or a value cannot be sent.
    #[error("the request cannot be written: {0}")]
    Request(#[from] hyper::http::Error),
    /// What came is no HTTP, or nothing came.
    #[error("the answer is no HTTP: {0}")]
    Answer(#[from] hyper::Error),
    /// The body is longer than was asked for, or broke off.
    #[error("the answer is too long or incomplete")]
    Body,
}

/// A request.
pub(crate) struct Ask {
    pub(crate) method: Method,
    /// What `Host` is to say.
    pub(crate) authority: String,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) fields: Vec<(HeaderName, String)>,
    pub(crate) body: String,
}

impl Ask {
    /// A GET without anything more.
    pub(crate) fn get(authority: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            authority: authority.into(),
            path: path.into(),
            fields: Vec::new(),
            body: String::new(),
        }
    }
}

/// Sends `ask` and returns the answer with the first `most` bytes of its body; a longer one is an
/// error. With `most` of 0 the body is not waited for.
pub(crate) async fn exchange<S>(
    stream: S,
    ask: Ask,
    most: usize,
) -> Result<Response<Bytes>, HttpError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut request = Request::builder()
        .method(ask.method)
        .uri(ask.path)
        .header(HOST, ask.authority)
        .header(CONNECTION, HeaderValue::from_static("close"))
        .header(USER_AGENT, concat!("talkie-doctor/", env!("CARGO_PKG_VERSION")));
    for (name, value) in ask.fields {
        request = request.header(name, value);
    }
    let request = request.body(Full::<Bytes>::from(ask.body))?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD)
        .max_headers(FIELDS)
        .handshake(TokioIo::new(stream))
        .await?;
    // Ends with `sender`, also when this future is dropped.
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    if most == 0 {
        return Ok(Response::from_parts(head, Bytes::new()));
    }
    let body = Limited::new(body, most).collect().await.map_err(|_| HttpError::Body)?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

/// A field of the head as text.
pub(crate) fn field<T>(response: &Response<T>, name: HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}
