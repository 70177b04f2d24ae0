//! The program as a user meets it: the real binary, its flags, files, signals and output.

mod completions;
mod config;
mod doctor;
mod help;
mod ice;
mod lab;
mod program;
mod serving;
mod stopping;
