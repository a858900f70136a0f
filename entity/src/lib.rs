//! What is durable: one SeaORM entity a file, and the types of ids and times that the columns and the wire share.

pub mod account_sessions;
pub mod accounts;
pub mod audit;
pub mod blocks;
pub mod guest_sessions;
pub mod ids;
pub mod messages;
pub mod names;
pub mod notifications;
pub mod participants;
pub mod rooms;
pub mod support_rooms;
pub mod tenants;
pub mod timestamp;
pub mod users;
