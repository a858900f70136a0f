//! Who is online, over all nodes; and what nodes have to know of each other.
//!
//! What a node says of itself holds while it lives, which it shows by renewing its lease.

use std::{collections::HashMap, time::Duration};

use entity::ids::{RoomId, TenantId, UserId};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::NodeId;

/// The place of a change among those of one user's presence: higher is later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version(pub i64);

/// The roster cannot be asked now; [`super::Listener::declare`] is called when it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreachable;

/// What a roster answers.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, Unreachable>>;

/// Another node where a user is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub node: NodeId,
    /// The rooms that they are in there.
    pub rooms: Vec<RoomId>,
}

/// Who is where. Whoever calls it for a user waits for one answer before the next call.
pub trait Roster: Send + Sync {
    /// A user has a connection here, and is in some rooms. The version of the change by which they came, if they are on no
    /// other node.
    fn arrive<'a>(
        &'a self,
        tenant: &'a TenantId,
        user: &'a UserId,
        rooms: &'a [RoomId],
    ) -> Answer<'a, Option<Version>>;

    /// A user of whom it was said is still here; to be said when their rooms change, and when the roster was lost. The
    /// version of a change only if it was said meanwhile that they had gone, by a node that could not know better.
    fn remain<'a>(
        &'a self,
        tenant: &'a TenantId,
        user: &'a UserId,
        rooms: &'a [RoomId],
    ) -> Answer<'a, Option<Version>>;

    /// A user has no connection here any more. The version of the change, if they have none on any node now.
    fn depart<'a>(&'a self, tenant: &'a TenantId, user: &'a UserId) -> Answer<'a, Option<Version>>;

    /// On which other nodes some users are; none of those who are on no other. None at all while it is unreachable. Who was
    /// on a node that has ended is there, in no room, until it is told that they have gone.
    fn elsewhere<'a>(
        &'a self,
        tenant: &'a TenantId,
        users: &'a [UserId],
    ) -> BoxFuture<'a, HashMap<UserId, Vec<Place>>>;

    /// Pins up what other nodes can read under a name, in place of what this node had there.
    fn pin<'a>(
        &'a self,
        tenant: &'a TenantId,
        name: &'static str,
        note: Option<String>,
    ) -> Answer<'a, ()>;

    /// What other nodes have pinned up under a name. Nothing while it is unreachable.
    fn pinned<'a>(&'a self, tenant: &'a TenantId, name: &'static str)
    -> BoxFuture<'a, Vec<String>>;

    /// This node is none of the nodes any more, all else has ended. Users who were here are offline unless they are on
    /// another node after some time.
    fn leave(&self, patience: Duration) -> BoxFuture<'_, ()>;

    /// Whether there can be other nodes.
    fn is_shared(&self) -> bool;
}

/// The roster of a node that is the only one.
pub struct Alone;

impl Roster for Alone {
    fn arrive<'a>(
        &'a self,
        _: &'a TenantId,
        _: &'a UserId,
        _: &'a [RoomId],
    ) -> Answer<'a, Option<Version>> {
        Box::pin(async { Ok(Some(Version::default())) })
    }

    fn remain<'a>(
        &'a self,
        _: &'a TenantId,
        _: &'a UserId,
        _: &'a [RoomId],
    ) -> Answer<'a, Option<Version>> {
        Box::pin(async { Ok(None) })
    }

    fn depart<'a>(&'a self, _: &'a TenantId, _: &'a UserId) -> Answer<'a, Option<Version>> {
        Box::pin(async { Ok(Some(Version::default())) })
    }

    fn elsewhere<'a>(
        &'a self,
        _: &'a TenantId,
        _: &'a [UserId],
    ) -> BoxFuture<'a, HashMap<UserId, Vec<Place>>> {
        Box::pin(async { HashMap::new() })
    }

    fn pin<'a>(&'a self, _: &'a TenantId, _: &'static str, _: Option<String>) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn pinned<'a>(&'a self, _: &'a TenantId, _: &'static str) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async { Vec::new() })
    }

    fn leave(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn is_shared(&self) -> bool {
        false
    }
}
