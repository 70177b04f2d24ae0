//! A laboratory of NATs.
//!
//! Two halves. The virtual one needs nothing but a seed: [`kinds`] explains the types of NAT, and
//! pairs of them are played with talkie's own machines on a simulated network; [`flow`] plays bulk
//! transfers, whose senders have to find out what a path carries. The [`real`] one puts
//! the same NATs between network namespaces of a Linux host, so that browsers and other programs can
//! be run behind them.

pub mod flow;
pub mod ink;
pub mod kinds;
pub mod matrix;
pub mod outcome;
pub mod real;
pub mod stage;
pub mod story;
mod svg;
