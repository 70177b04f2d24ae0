//! The recording for programs. The names of the fields are part of the interface.

use serde::Serialize;
use talkie_sim::flow::{Gauge, Sample};

use super::{Fate, Recording};

#[derive(Serialize)]
struct File {
    rate_bits_per_second: u64,
    rtt_ms: f64,
    loss: f64,
    burst_packets: f64,
    queue_discipline: &'static str,
    buffer_bytes: usize,
    seed: u64,
    seconds: f64,
    /// When the sums begin.
    counted_from_seconds: f64,
    line_used: f64,
    jain_index: Option<f64>,
    queue: Queue,
    flows: Vec<Flow>,
    samples: Vec<State>,
}

#[derive(Serialize)]
struct Queue {
    mean_wait_ms: f64,
    longest_wait_ms: f64,
    served_packets: u64,
    dropped_packets: u64,
    marked_packets: u64,
    lost_packets: u64,
}

#[derive(Serialize)]
struct Flow {
    controller: &'static str,
    fate: Fate,
    goodput_bits_per_second: f64,
    lost: f64,
    mean_rtt_ms: Option<f64>,
}

#[derive(Serialize)]
struct State {
    seconds: f64,
    queue_bytes: usize,
    flows: Vec<Point>,
}

/// What a sender thinks of its path.
#[derive(Serialize)]
struct Point {
    window_bytes: u64,
    in_flight_bytes: u64,
    pacing_bytes_per_second: u64,
    rtt_ms: f64,
    delivered_bytes: u64,
    lost_bytes: u64,
}

impl Recording {
    /// All of it.
    ///
    /// # Panics
    /// Never: the value has no map with keys that are no text.
    #[must_use]
    pub fn json(&self) -> String {
        let book = self.queue();
        let file = File {
            rate_bits_per_second: self.plan.rate,
            rtt_ms: milliseconds(self.plan.rtt),
            loss: self.plan.loss,
            burst_packets: self.plan.burst,
            queue_discipline: self.plan.queue.name(),
            buffer_bytes: self.plan.buffer,
            seed: self.plan.seed,
            seconds: self.plan.span.as_secs_f64(),
            counted_from_seconds: self.plan.counted_from().as_secs_f64(),
            line_used: self.line_used(),
            jain_index: self.fairness(),
            queue: Queue {
                mean_wait_ms: milliseconds(book.mean_wait()),
                longest_wait_ms: milliseconds(book.longest),
                served_packets: book.served,
                dropped_packets: book.dropped,
                marked_packets: book.marked,
                lost_packets: book.lost,
            },
            flows: self.flows(),
            samples: self.samples.iter().map(state).collect(),
        };
        serde_json::to_string_pretty(&file).expect("plain values") + "\n"
    }

    fn flows(&self) -> Vec<Flow> {
        let outcomes = self.outcomes();
        let flow = |outcome: &super::Outcome| Flow {
            controller: outcome.controller.name(),
            fate: outcome.fate,
            goodput_bits_per_second: outcome.goodput,
            lost: outcome.lost,
            mean_rtt_ms: outcome.rtt.map(milliseconds),
        };
        outcomes.iter().map(flow).collect()
    }
}

fn state(sample: &Sample) -> State {
    State {
        seconds: sample.at.as_secs_f64(),
        queue_bytes: sample.queue,
        flows: sample.flows.iter().map(point).collect(),
    }
}

fn point(gauge: &Gauge) -> Point {
    Point {
        window_bytes: gauge.window,
        in_flight_bytes: gauge.in_flight,
        pacing_bytes_per_second: gauge.pacing_rate,
        rtt_ms: milliseconds(gauge.rtt),
        delivered_bytes: gauge.delivered,
        lost_bytes: gauge.lost,
    }
}

fn milliseconds(span: std::time::Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}
