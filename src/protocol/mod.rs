//! Every payload that crosses the wire, once, for every door. The TypeScript types are generated from here
//! (`make types`).

mod accounts;
mod admin;
mod events;
mod membership;
mod objects;
mod requests;
mod schema;
mod support;
mod support_requests;

use serde::Serialize;
use ts_rs::TS;
use utoipa::ToSchema;

pub use accounts::*;
pub use admin::*;
pub use events::*;
pub use membership::*;
pub use objects::*;
pub use requests::*;
pub use support::*;
pub use support_requests::*;

/// The error body: in acknowledgements, `error` events and HTTP answers alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct ErrorBody {
    /// Always `false`.
    #[ts(type = "false")]
    pub success: bool,
    /// A stable word for programs.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
    /// Milliseconds after which the same request can succeed; only where waiting helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub retry_after_ms: Option<u64>,
}
