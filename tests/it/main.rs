//! Tests against the server in this process: what needs its clock or its inside. What clients see is tested from real
//! clients, in `tests/client`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that finds nothing to unwrap has failed"
)]

mod access;
mod accounts;
mod audit;
mod bus;
mod layers;
mod live;
mod node_limits;
mod postgres;
mod proxy;
mod rate_limit;
mod removal;
mod roster;
mod store;
mod support;
