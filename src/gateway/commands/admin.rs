//! What staff ask for in namespace `/admin`.

use serde_json::value::RawValue;

use super::{Caller, Command, Rest, commands, run};
use crate::{error::Error, gateway::reply::Reply, protocol::Authenticate};

commands! {
    Authenticate,
}
