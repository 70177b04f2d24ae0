//! Any text as ICE's attributes, line by line and together: what is read is printed so that it is read again.

use talkie_traversal::ice::{Attribute, Candidate, Parameters};

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for line in text.split('\n') {
        match line.parse::<Candidate>() {
            Ok(candidate) => assert_eq!(candidate.to_string().parse(), Ok(candidate)),
            Err(error) => assert!(error.to_string().len() < 3000),
        }
        match line.parse::<Attribute>() {
            Ok(attribute) => {
                assert!(Attribute::is_one(line));
                let printed = attribute.to_string();
                assert!(!printed.contains(['\r', '\n']));
                assert_eq!(printed.parse(), Ok(attribute));
            }
            Err(error) => assert!(error.to_string().len() < 3000),
        }
    }
    if let Ok(parameters) = Parameters::from_lines(text.lines()) {
        let lines: Vec<_> = parameters.attributes().map(|one| one.to_string()).collect();
        assert_eq!(Parameters::from_lines(lines.iter().map(|line| &**line)), Ok(parameters));
    }
}
