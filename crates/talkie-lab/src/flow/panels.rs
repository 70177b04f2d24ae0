//! The four things that are drawn, as curves over time with a scale each.

use std::time::Duration;

use talkie_sim::flow::{Gauge, Sample};

use super::Recording;

/// A rate is what came within so many states before and after.
const SMOOTHED: usize = 3;

/// What a figure is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Bytes,
    BitsPerSecond,
    Seconds,
}

/// One of the drawings.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) words: &'static str,
    pub(super) unit: Unit,
    /// The upper end of the scale.
    pub(super) most: f64,
    /// A curve for each flow, or one: a value for each state.
    pub(super) curves: Vec<Vec<Option<f64>>>,
}

impl Unit {
    pub(super) fn say(self, value: f64) -> String {
        match self {
            Self::Bytes => scaled(value, &[(1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")]),
            Self::BitsPerSecond => {
                scaled(value, &[(1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"), (1.0, "bit/s")])
            }
            Self::Seconds => scaled(value, &[(1.0, "s"), (1e-3, "ms"), (1e-6, "µs")]),
        }
    }
}

/// With the largest unit that leaves one before the point, and three digits at most.
fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    let fits = units.iter().find(|(size, _)| value >= *size).or_else(|| units.last());
    let Some((size, name)) = fits.filter(|_| value > 0.0) else { return "0".to_owned() };
    let value = value / size;
    match value {
        10.0.. => format!("{value:.0} {name}"),
        _ => format!("{} {name}", (value * 10.0).round() / 10.0),
    }
}

/// A duration in the same words.
pub(super) fn span(span: Duration) -> String {
    Unit::Seconds.say(span.as_secs_f64())
}

impl Recording {
    pub(super) fn panels(&self) -> [Panel; 4] {
        let of_flows = |value: fn(&Gauge) -> f64| -> Vec<Vec<Option<f64>>> {
            let known = |gauge: &Gauge| Some(value(gauge)).filter(|value| *value > 0.0);
            let flows = 0..self.plan.controllers.len();
            flows
                .map(|flow| self.samples.iter().map(|it| known(&it.flows[flow])).collect())
                .collect()
        };
        let windows = of_flows(|gauge| gauge.window as f64);
        let trips = of_flows(|gauge| gauge.rtt.as_secs_f64());
        let queue = vec![self.samples.iter().map(|sample| Some(sample.queue as f64)).collect()];
        let rates =
            (0..self.plan.controllers.len()).map(|flow| rates(&self.samples, flow)).collect();
        let (most_window, most_trip, most_queue) = (most(&windows), most(&trips), most(&queue));
        [
            Panel {
                title: "Window",
                words: "what may be in flight",
                unit: Unit::Bytes,
                most: most_window,
                curves: windows,
            },
            Panel {
                title: "Rate",
                words: "messages that arrive; the scale is the line's",
                unit: Unit::BitsPerSecond,
                most: self.plan.rate as f64,
                curves: rates,
            },
            Panel {
                title: "Round trip",
                words: "smoothed by the sender",
                unit: Unit::Seconds,
                most: most_trip,
                curves: trips,
            },
            Panel {
                title: "Queue",
                words: "what waits for the line",
                unit: Unit::Bytes,
                most: most_queue,
                curves: queue,
            },
        ]
    }
}

fn rates(samples: &[Sample], flow: usize) -> Vec<Option<f64>> {
    let begun = samples.iter().position(|sample| sample.flows[flow].window > 0);
    (0..samples.len())
        .map(|at| {
            let first = at.saturating_sub(SMOOTHED).max(begun?);
            let last = (at + SMOOTHED).min(samples.len() - 1);
            let (before, after) = (&samples[first], samples.get(last)?);
            let bytes = after.flows[flow].delivered.checked_sub(before.flows[flow].delivered)?;
            let seconds = after.at.checked_sub(before.at)?.as_secs_f64();
            (at >= begun? && seconds > 0.0).then(|| bytes as f64 * 8.0 / seconds)
        })
        .collect()
}

/// A round number not below any value.
fn most(curves: &[Vec<Option<f64>>]) -> f64 {
    let greatest = curves.iter().flatten().flatten().copied().fold(0.0, f64::max);
    if greatest <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(greatest.log10().floor());
    let steps = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0];
    let step = steps.into_iter().find(|step| step * power >= greatest).unwrap_or(10.0);
    step * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        for (value, words) in [(0.0, "0"), (999.0, "999 B"), (1500.0, "1.5 kB"), (2e6, "2 MB")] {
            assert_eq!(Unit::Bytes.say(value), words);
        }
        assert_eq!(Unit::BitsPerSecond.say(200e6), "200 Mbit/s");
        assert_eq!(Unit::Seconds.say(0.0431), "43 ms");
        assert_eq!(Unit::Seconds.say(1.25), "1.3 s");
    }

    #[test]
    fn scales_end_with_round_numbers() {
        let most = |value| most(&[vec![None, Some(value)]]);
        assert_eq!([most(0.0), most(10.0), most(11.0), most(0.9)], [1.0, 10.0, 12.0, 1.0]);
    }
}
