mod bus;
mod knocks;
mod model;
mod timers;
mod world;
