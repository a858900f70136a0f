//! The bus of several nodes, over Redis.

mod health;
mod keeper;
mod lease;
mod link;
mod names;
mod reaper;
mod roster;
mod target;

pub use health::Health;
pub use lease::{Held, Lease, LeaseId};
pub use link::{Link, Request};
pub use roster::RedisRoster;
