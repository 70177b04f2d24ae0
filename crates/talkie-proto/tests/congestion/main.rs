//! Controllers judged in virtual time: one bottleneck, a bulk sender that is only a model, and the real
//! controllers.

mod behaves;
mod fills;
mod model;
mod shares;
mod stage;
mod tables;
