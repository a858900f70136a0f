//! Confab: a realtime chat server for the socket.io-client frontends that exist.
//!
//! The map, from the outside in (`ARCHITECTURE.md` has the picture and the invariants):
//!
//! - [`app`]: everything wired; bind, run, drain
//! - [`config`], [`error`], [`auth`], [`limits`], [`clock`], [`telemetry`], [`outage`]: what all of it shares
//! - [`gateway`]: the doors; who is calling, what do they ask, in what order, and the way back
//! - [`protocol`]: every payload that crosses the wire, once
//! - [`chat`]: the rules, one noun a file
//! - [`bus`]: the one way out, to every connection of every node
//! - [`store`]: what is durable
//! - [`doctor`]: beside all of it, what a client finds on the way to the nodes

pub mod app;
pub mod auth;
pub mod bus;
pub mod chat;
pub mod clock;
pub mod config;
pub mod doctor;
pub mod error;
pub mod gateway;
pub mod limits;
pub mod outage;
pub mod protocol;
pub mod store;
pub mod telemetry;
