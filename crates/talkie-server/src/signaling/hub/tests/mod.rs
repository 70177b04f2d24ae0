mod bus;
mod model;
mod timers;
mod world;
