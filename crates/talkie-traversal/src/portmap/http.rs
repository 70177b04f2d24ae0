//! As much of HTTP/1.1 as it takes to ask a gateway (RFC 9112): one request on a stream, one bounded
//! answer. Written and read without I/O, in whatever pieces the stream comes.

use std::net::SocketAddr;

/// The most bytes of an answer's head.
const HEAD: usize = 16 << 10;
/// The most fields of it.
const FIELDS: usize = 64;
/// The most bytes of a body. Descriptions of gateways have some 5 KiB.
const BODY: usize = 64 << 10;
/// The most digits of a chunk's size, and bytes of its line.
const CHUNK_LINE: usize = 256;
/// The most chunks: some gateways send one for each line.
const CHUNKS: usize = 1024;
/// The most 1xx answers before the one that counts.
const INTERIM: usize = 4;

/// A request to `authority` for `path`, with a body for a POST.
pub(super) fn request(authority: SocketAddr, path: &str, post: Option<(&str, &str)>) -> Vec<u8> {
    let method = if post.is_some() { "POST" } else { "GET" };
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nUser-Agent: talkie/{}\r\n",
        env!("CARGO_PKG_VERSION")
    );
    match post {
        Some((action, body)) => {
            request += &format!(
                "Content-Type: text/xml; charset=\"utf-8\"\r\nSOAPAction: {action}\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
        }
        None => request += "\r\n",
    }
    request.into_bytes()
}

/// The stream does not carry an answer, or one that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadResponse;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) code: u16,
    pub(super) body: Vec<u8>,
}

/// Reads one answer.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// What has come and is not understood yet: of the head all, of the body what is no whole line.
    pending: Vec<u8>,
    /// How far an end of the head has been looked for.
    searched: usize,
    interim: usize,
    chunks: usize,
    code: u16,
    body: Vec<u8>,
    rest: Rest,
}

/// What is still to come.
#[derive(Clone, Copy, Debug, Default)]
enum Rest {
    #[default]
    Head,
    /// So many bytes.
    Length(usize),
    /// A chunk's size on a line of its own (RFC 9112 §7.1).
    ChunkSize,
    ChunkData(usize),
    /// The empty line behind a chunk.
    ChunkEnd,
    /// Whatever comes until the stream ends (RFC 9112 §6.3).
    UntilClosed,
    /// Nothing.
    Over,
}

impl Reader {
    /// Takes what the stream brought; the answer as soon as it is whole.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Option<Response>, BadResponse> {
        self.pending.extend_from_slice(bytes);
        while self.advance()? {}
        if self.body.len() > BODY || self.pending.len() > HEAD.max(CHUNK_LINE) {
            return Err(BadResponse);
        }
        Ok(matches!(self.rest, Rest::Over).then(|| self.response()))
    }

    /// The stream has ended; the answer if that is how it ends.
    pub(super) fn end(&mut self) -> Option<Response> {
        matches!(self.rest, Rest::UntilClosed).then(|| self.response())
    }

    fn response(&mut self) -> Response {
        Response { code: self.code, body: std::mem::take(&mut self.body) }
    }

    /// Understands one more piece; whether there was one.
    fn advance(&mut self) -> Result<bool, BadResponse> {
        match self.rest {
            Rest::Head => self.read_head(),
            Rest::Length(left) => Ok(self.read_data(left, Rest::Length, Rest::Over)),
            Rest::ChunkData(left) => Ok(self.read_data(left, Rest::ChunkData, Rest::ChunkEnd)),
            Rest::ChunkSize => {
                let Some(line) = self.line()? else { return Ok(false) };
                let digits = line.split(';').next().unwrap_or_default().trim();
                let size = usize::from_str_radix(digits, 16).map_err(|_| BadResponse)?;
                // Trailers may follow; nobody reads them.
                self.rest = if size == 0 { Rest::Over } else { Rest::ChunkData(size) };
                self.chunks += 1;
                if size > BODY || self.chunks > CHUNKS { Err(BadResponse) } else { Ok(size > 0) }
            }
            Rest::ChunkEnd => {
                let Some(line) = self.line()? else { return Ok(false) };
                self.rest = Rest::ChunkSize;
                if line.is_empty() { Ok(true) } else { Err(BadResponse) }
            }
            Rest::UntilClosed => {
                self.body.append(&mut self.pending);
                Ok(false)
            }
            Rest::Over => {
                self.pending.clear();
                Ok(false)
            }
        }
    }

    fn read_head(&mut self) -> Result<bool, BadResponse> {
        const END: &[u8] = b"\r\n\r\n";
        let from = self.searched.saturating_sub(END.len());
        self.searched = self.pending.len();
        let end = self.pending[from..].windows(END.len()).position(|it| it == END);
        let Some(end) = end.map(|at| from + at + END.len()) else { return Ok(false) };
        let head: Vec<u8> = self.pending.drain(..end).collect();
        self.searched = 0;
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let mut parsed = httparse::Response::new(&mut fields);
        if head.len() > HEAD || !parsed.parse(&head).is_ok_and(|status| status.is_complete()) {
            return Err(BadResponse);
        }
        self.code = parsed.code.ok_or(BadResponse)?;
        if (100..200).contains(&self.code) {
            // RFC 9110 §15.2: an interim answer, and another one follows.
            self.interim += 1;
            return if self.interim > INTERIM { Err(BadResponse) } else { Ok(true) };
        }
        let field = |name: &str| {
            let mut of = parsed.headers.iter().filter(|it| it.name.eq_ignore_ascii_case(name));
            let first = of.next()?;
            Some(str::from_utf8(first.value).unwrap_or_default().trim())
        };
        // RFC 9112 §6.3: chunks, then a length, then until the end.
        self.rest = match (field("Transfer-Encoding"), field("Content-Length")) {
            (Some(coding), _) if coding.eq_ignore_ascii_case("chunked") => Rest::ChunkSize,
            (Some(_), _) => return Err(BadResponse),
            (None, Some(length)) => match length.parse::<usize>() {
                Ok(0) => Rest::Over,
                Ok(length) if length <= BODY => Rest::Length(length),
                _ => return Err(BadResponse),
            },
            (None, None) => Rest::UntilClosed,
        };
        Ok(true)
    }

    /// Moves up to `left` bytes into the body; whether that was all of them.
    fn read_data(&mut self, left: usize, more: fn(usize) -> Rest, then: Rest) -> bool {
        let count = left.min(self.pending.len());
        self.body.extend(self.pending.drain(..count));
        self.rest = if count == left { then } else { more(left - count) };
        count == left && self.body.len() <= BODY
    }

    /// A line without its end, if it is whole.
    fn line(&mut self) -> Result<Option<String>, BadResponse> {
        let Some(end) = self.pending.iter().take(CHUNK_LINE).position(|byte| *byte == b'\n') else {
            return if self.pending.len() >= CHUNK_LINE { Err(BadResponse) } else { Ok(None) };
        };
        let line: Vec<u8> = self.pending.drain(..=end).collect();
        let line = String::from_utf8(line).map_err(|_| BadResponse)?;
        Ok(Some(line.trim_end().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In one piece, and byte by byte.
    fn read(stream: &str) -> Result<Option<(u16, String)>, BadResponse> {
        let text = |response: Response| {
            (response.code, String::from_utf8_lossy(&response.body).into_owned())
        };
        let mut whole = Reader::default();
        let at_once = whole.take(stream.as_bytes())?.or_else(|| whole.end()).map(text);
        let mut reader = Reader::default();
        let mut bytewise = None;
        for byte in stream.as_bytes().chunks(1) {
            bytewise = bytewise.or(reader.take(byte)?);
        }
        assert_eq!(at_once, bytewise.or_else(|| reader.end()).map(text), "{stream}");
        Ok(at_once)
    }

    #[test]
    fn a_body_ends_as_its_head_says() {
        let body = Ok(Some((200, "hello".to_owned())));
        assert_eq!(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello more"), body);
        assert_eq!(read("HTTP/1.0 200 OK\r\n\r\nhello"), body);
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n";
        assert_eq!(read(&format!("{chunked}2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n")), body);
        assert_eq!(
            read("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
            Ok(Some((500, String::new())))
        );
        let interim = "HTTP/1.1 100 Continue\r\n\r\n";
        assert_eq!(
            read(&format!("{interim}HTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhello")),
            body
        );
    }

    #[test]
    fn an_answer_that_breaks_off_is_none() {
        for cut in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        ] {
            assert_eq!(read(cut), Ok(None), "{cut}");
        }
    }

    #[test]
    fn an_answer_without_end_or_sense_is_given_up() {
        let head = "HTTP/1.1 200 OK\r\n";
        for bad in [
            "nonsense\r\n\r\n".to_owned(),
            format!("{head}{}", "x: y\r\n".repeat(10_000)),
            format!("{head}{}\r\n", "x: y\r\n".repeat(FIELDS + 1)),
            format!("{head}Content-Length: 99999999999999999999999\r\n\r\n"),
            format!("{head}Content-Length: 100000\r\n\r\n"),
            format!("{head}Content-Length: -1\r\n\r\n"),
            format!("{head}\r\n{}", "x".repeat(BODY + 1)),
            format!("{head}Transfer-Encoding: gzip\r\n\r\n"),
            format!("{head}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"),
            format!("{head}Transfer-Encoding: chunked\r\n\r\n{}", "1".repeat(CHUNK_LINE)),
            format!("{head}Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"),
            format!("{head}Transfer-Encoding: chunked\r\n\r\n{}", "1\r\nx\r\n".repeat(CHUNKS + 1)),
            "HTTP/1.1 100 Continue\r\n\r\n".repeat(INTERIM + 1),
        ] {
            let mut reader = Reader::default();
            let mut outcome = Ok(None);
            for piece in bad.as_bytes().chunks(1000) {
                outcome = outcome.and_then(|_| reader.take(piece));
            }
            assert_eq!(outcome, Err(BadResponse), "{}", &bad[..bad.len().min(100)]);
            assert!(reader.body.capacity() < 1 << 20);
        }
    }

    #[test]
    fn requests_say_what_they_want() {
        let at = "192.168.1.1:5000".parse().unwrap();
        let get = String::from_utf8(request(at, "/root.xml", None)).unwrap();
        assert!(get.starts_with("GET /root.xml HTTP/1.1\r\nHost: 192.168.1.1:5000\r\n"), "{get}");
        assert!(get.ends_with("\r\n\r\n"), "{get}");
        let post = String::from_utf8(request(at, "/ctl", Some(("\"a#b\"", "<x/>")))).unwrap();
        assert!(post.contains("\r\nSOAPAction: \"a#b\"\r\n"), "{post}");
        assert!(post.ends_with("Content-Length: 4\r\n\r\n<x/>"), "{post}");
    }
}
