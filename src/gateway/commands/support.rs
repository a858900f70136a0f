//! What customers ask for in namespace `/support`: always about their own support room.

use serde_json::value::RawValue;

use super::{Caller, Command, Rest, commands, run};
use crate::{error::Error, gateway::reply::Reply, protocol::Authenticate};

commands! {
    Authenticate,
}
