//! What is worth telling when it changes: a report as named facts, and the difference of two.

use std::collections::BTreeMap;

use talkie_doctor::report::{Leg, Portal};
use talkie_doctor::{Diagnosis, Report, advice};

/// The facts of a report by their names. Times are left out: they differ every time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts(BTreeMap<String, String>);

impl Facts {
    pub(super) fn of(report: &Report, diagnosis: &Diagnosis) -> Self {
        let mut facts = BTreeMap::new();
        let mut add = |name: String, value: String| facts.insert(name, value);
        add("verdict".to_owned(), diagnosis.headline.clone());
        for route in &report.host.routes {
            let by = route.interface.as_deref().unwrap_or("?");
            add(format!("{} route", route.family), format!("{} by {by}", route.source));
        }
        for nat in &report.nats {
            // The outside port is another one for each socket.
            let mapped = nat.mapped.map(|mapped| mapped.ip().to_string()).unwrap_or_default();
            add(format!("{} outside address", nat.family), mapped);
            let seen = advice::nat_in_short(nat);
            let kind = seen.split(", seen as").next().unwrap_or_default();
            add(format!("{} NAT", nat.family), kind.to_owned());
        }
        for server in &report.servers {
            let failure = server.failure.as_ref().or_else(|| server.web.as_ref()?.failure.as_ref());
            let state = failure.map_or_else(|| "answers".to_owned(), ToString::to_string);
            add(server.url.clone(), state);
            for leg in &server.legs {
                add(name(leg), state_of(leg));
            }
        }
        if let Some(mtu) = report.mtu {
            add("packet size".to_owned(), format!("{} bytes", mtu.bytes));
        }
        let ports = report.port_mapping.protocols().join(", ");
        add(
            "router".to_owned(),
            if ports.is_empty() { "opens no ports".to_owned() } else { ports },
        );
        if let Portal::Suspected { evidence } = &report.portal {
            add("login portal".to_owned(), evidence.clone());
        }
        Self(facts)
    }
}

fn name(leg: &Leg) -> String {
    let at = leg.address.map_or_else(|| leg.host.clone(), |address| address.to_string());
    format!("{} over {} at {at}", leg.scheme, leg.transport)
}

fn state_of(leg: &Leg) -> String {
    leg.failure.as_ref().map_or_else(|| "works".to_owned(), ToString::to_string)
}

/// A line for each fact that is new, gone or another.
pub(super) fn changes(before: &Facts, after: &Facts) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, value) in &after.0 {
        match before.0.get(name) {
            Some(old) if old == value => {}
            Some(old) => lines.push(format!("{name}: {value} (was: {old})")),
            None => lines.push(format!("{name}: {value} (new)")),
        }
    }
    let gone = before.0.iter().filter(|(name, _)| !after.0.contains_key(*name));
    lines.extend(gone.map(|(name, old)| format!("{name}: gone (was: {old})")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(list: &[(&str, &str)]) -> Facts {
        Facts(list.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    #[test]
    fn only_what_differs_is_told() {
        let before = facts(&[("a", "1"), ("b", "2"), ("c", "3")]);
        let after = facts(&[("a", "1"), ("b", "5"), ("d", "4")]);
        assert_eq!(changes(&before, &before), [""; 0]);
        assert_eq!(changes(&before, &after), ["b: 5 (was: 2)", "d: 4 (new)", "c: gone (was: 3)"]);
    }
}
