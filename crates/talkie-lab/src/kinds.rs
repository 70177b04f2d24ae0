//! The types of NAT, explained for people.
