//! The bus of several nodes, over Redis.

mod health;
mod link;
mod names;
mod target;

pub use health::Health;
pub use link::{Link, Request};
