//! Events for programs: an object a line on standard output. docs/ice.md has the list.

use std::time::Duration;

use serde_json::{Value, json};
use talkie_traversal::ice::{Candidate, Chapter, Pair, Story};

use super::super::board::Row;
use super::{News, Summary, View};
use crate::commands::meeting;
use crate::terminal;

#[derive(Debug, Default)]
pub(super) struct Json {
    is_unread: bool,
}

impl View for Json {
    fn is_unread(&self) -> bool {
        self.is_unread
    }

    fn show(&mut self, news: News<'_>) {
        let mut event = event(&news);
        if let Value::Object(fields) = &mut event {
            let now = talkie_net::unix_time();
            fields.insert("at".to_owned(), json!(now.as_millis() as u64));
        }
        let line = plain(&event.to_string()) + "\n";
        self.is_unread |= terminal::offer(line.as_bytes()).is_err();
    }
}

/// The same object with nothing in it that a terminal obeys: JSON escapes the control characters of ASCII only.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if terminal::is_obeyed(letter) {
            // They stand in strings only, and are of the basic plane.
            out.push_str(&format!("\\u{:04x}", u32::from(letter)));
        } else {
            out.push(letter);
        }
    }
    out
}

fn event(news: &News<'_>) -> Value {
    match news {
        News::Unvouched(fingerprint) => {
            json!({"event": "unvouched", "sha256": fingerprint.to_string()})
        }
        News::Waiting { code, server, patience } => json!({
            "event": "waiting",
            "code": code.to_string(),
            "server": server.to_string(),
            "command": meeting::invitation("talkie ice", code, server),
            "seconds": patience.as_secs(),
        }),
        News::Met { version } => json!({"event": "met", "version": version}),
        News::Block(lines) => json!({"event": "block", "lines": lines}),
        News::Paste => json!({"event": "paste"}),
        News::Candidate { is_ours, candidate } => json!({
            "event": "candidate",
            "side": if *is_ours { "local" } else { "remote" },
            "candidate": end(candidate),
        }),
        News::Problem(problem) => json!({
            "event": "candidateError",
            "url": problem.url,
            "address": problem.address,
            "code": problem.code,
            "text": problem.text,
        }),
        News::Unguessed { base, why } => {
            json!({"event": "noGuess", "base": base, "why": why.to_string()})
        }
        News::Stranded { why } => json!({"event": "noCandidate", "why": why}),
        News::Useless(why) => json!({"event": "useless", "why": why}),
        News::Gathering(state) => json!({"event": "gathering", "state": state.word()}),
        News::State(state) => json!({"event": "state", "state": state.word()}),
        News::Selected { pair, after, .. } => {
            json!({"event": "selected", "pair": way(pair), "afterMs": millis(*after)})
        }
        News::Renewed { is_ours } => {
            json!({"event": "restart", "side": if *is_ours { "local" } else { "remote" }})
        }
        News::Story(story) => told(story),
        News::Sent { payload } => json!({"event": "sent", "bytes": payload.len()}),
        News::Unsent { why } => json!({"event": "unsent", "why": why}),
        News::Received { payload, there_and_back, path } => json!({
            "event": "data",
            "bytes": payload.len(),
            "text": String::from_utf8_lossy(payload),
            "thereAndBackMs": there_and_back.map(millis),
            "pathMs": path.map(millis),
        }),
        News::Finished => json!({"event": "finished"}),
        News::Left => json!({"event": "left"}),
        News::Unsignaled { why } => json!({"event": "unsignaled", "why": why}),
        News::Over(summary) => over(summary),
    }
}

/// Two decimals.
fn millis(span: Duration) -> f64 {
    (span.as_secs_f64() * 1e5).round() / 100.0
}

/// With the names of `RTCIceCandidate`.
fn end(candidate: &Candidate) -> Value {
    json!({
        "candidate": candidate.to_string(),
        "type": candidate.kind.word(),
        "address": candidate.address.to_string(),
        "port": candidate.port,
        "protocol": candidate.protocol.word(),
        "relayProtocol": candidate.relay_protocol.map(|transport| transport.to_string()),
        "url": candidate.url,
    })
}

fn way(pair: &Pair) -> Value {
    json!({
        "id": pair.id.0,
        "direct": pair.is_direct(),
        "nominated": pair.is_nominated,
        "roundTripMs": pair.round_trip.map(millis),
        "local": end(&pair.local),
        "remote": end(&pair.remote),
    })
}

fn told(story: &Story) -> Value {
    let failure = match &story.chapter {
        Chapter::Failed(why) => Some(why.to_string()),
        _ => None,
    };
    json!({
        "event": "pair",
        "id": story.pair.0,
        "local": story.base,
        "remote": story.remote,
        "what": story.chapter.to_string(),
        "failure": failure,
    })
}

fn row(row: &Row) -> Value {
    json!({
        "id": row.id.0,
        "state": row.state.word(),
        "selected": row.is_selected,
        "nominated": row.is_nominated,
        "local": row.local,
        "remote": row.remote,
        "roundTripMs": row.round_trip.map(millis),
        "failure": row.why.map(|why| why.to_string()),
    })
}

fn over(summary: &Summary) -> Value {
    let spans = summary.there_and_back.map(|spans| spans.map(millis));
    json!({
        "event": "over",
        "sent": summary.sent,
        "received": summary.received,
        "bytesSent": summary.bytes_sent,
        "bytesReceived": summary.bytes_received,
        "lost": summary.lost,
        "echoes": summary.echoes,
        "thereAndBackMs": spans.map(|[least, mean, most]| json!({"least": least, "mean": mean, "most": most})),
        "pair": summary.pair.as_ref().map(way),
        "pairs": summary.board.rows.iter().map(row).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_no_datagram_and_a_program_reads_all_of_it() {
        let text = "a\u{9b}2Jb\u{7f}\u{1b}[2J\u{202e}c\"\\";
        let news = News::Received { payload: text.as_bytes(), there_and_back: None, path: None };
        let line = plain(&event(&news).to_string());
        assert!(!line.contains(terminal::is_obeyed), "{line}");
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["text"], text);
    }
}
