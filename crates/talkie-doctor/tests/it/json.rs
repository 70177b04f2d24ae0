//! The JSON is what `docs/doctor.md` says, field by field.

use std::collections::BTreeSet;

use serde_json::Value;
use talkie_doctor::{Document, diagnose};

use crate::host::Host;
use crate::servers::examined;

/// The paths of all fields: `servers[].legs[].rttMs`.
fn paths(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                found.insert(path.clone());
                // Its names are those of fields that are documented elsewhere.
                if name != "unknown" {
                    paths(value, &path, found);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                paths(item, &format!("{at}[]"), found);
            }
        }
        _ => {}
    }
}

/// The first column of the table of fields.
fn documented() -> BTreeSet<String> {
    let text = include_str!("../../../../docs/doctor.md");
    let table = text.split("## JSON").nth(1).expect("there is such a section");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_is_documented_and_there() {
    let host = Host::start().await;
    let report = examined(&host.url()).await;
    let diagnosis = diagnose(&report);
    let document = Document { report: &report, diagnosis: &diagnosis };
    let json = serde_json::to_value(document).unwrap();
    let mut found = BTreeSet::new();
    paths(&json, "", &mut found);
    let documented = documented();
    let missing: Vec<_> = found.difference(&documented).collect();
    assert!(missing.is_empty(), "not in docs/doctor.md: {missing:#?}");
    assert_eq!(json["schema"], 1);
    assert_eq!(json["diagnosis"]["verdict"], "unclear");
    // What this machine happens not to have is documented all the same; the rest has to be there.
    let optional = [
        "host.",
        "portMapping.",
        "diagnosis.peers",
        "servers[].legs[].failure.",
        "servers[].failure.",
        "servers[].web.failure.",
        "portal.evidence",
        "nats[].lifetime.",
    ];
    let gone: Vec<_> = documented
        .difference(&found)
        .filter(|path| !optional.iter().any(|start| path.starts_with(start)))
        .collect();
    assert!(gone.is_empty(), "documented and not there: {gone:#?}");
}
