//! What is counted for the operator, and its form for Prometheus.

pub(crate) mod relay;

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;

/// Counters of the HTTP and TLS listeners; the other parts count for themselves.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// By the status' hundreds, 1xx first.
    answers: [AtomicU64; 5],
    tls_accepted: AtomicU64,
    tls_failed: AtomicU64,
}

impl Metrics {
    pub(crate) fn answered(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.answers[class].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn tls_accepted(&self) {
        self.tls_accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn tls_failed(&self) {
        self.tls_failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn write(&self, text: &mut Exposition) {
        text.family("talkie_http_responses_total", Kind::Counter, "Answers by status class.");
        for (class, count) in self.answers.iter().enumerate() {
            let label = format!("{}xx", class + 1);
            text.sample("talkie_http_responses_total", &[("status", &label)], load(count));
        }
        text.family("talkie_tls_handshakes_total", Kind::Counter, "TLS handshakes by outcome.");
        for (outcome, count) in [("done", &self.tls_accepted), ("failed", &self.tls_failed)] {
            text.sample("talkie_tls_handshakes_total", &[("outcome", outcome)], load(count));
        }
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// A text in Prometheus' exposition format 0.0.4.
#[derive(Debug, Default)]
pub(crate) struct Exposition(String);

/// How a family's values behave.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Counter,
    Gauge,
}

impl Exposition {
    /// Begins a family; its samples come next.
    pub(crate) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    /// A value of the family begun last. Labels are the program's own words and need no escaping.
    pub(crate) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl fmt::Display) {
        let labels: Vec<_> =
            labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        if labels.is_empty() {
            self.line(format_args!("{name} {value}"));
        } else {
            self.line(format_args!("{name}{{{}}} {value}", labels.join(",")));
        }
    }

    /// A family of one value.
    pub(crate) fn single(&mut self, name: &str, kind: Kind, help: &str, value: impl fmt::Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("writing to a String never fails");
    }
}
