//! Why a network does or does not let two peers meet, found out and said in plain words.
//!
//! Probes ask the network (the servers that the caller named, the gateway, the own interfaces, and
//! nobody else), all at once and each within a bound of time. What they find is a report, which is
//! data. What the report means is a pure function of it, so that every situation is a row in a
//! table of tests.
