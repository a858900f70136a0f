//! The one way out: what any connection may have to hear goes through the bus to every node that listens, this one
//! included. So there is one path for all doors and nodes.
//!
//! A bus may lose what it carries to other nodes, and says so ([`Listener::catch_up`]): the store is the truth, and
//! whoever has missed something finds it there.

mod local;
mod redis;
mod roster;
mod topic;

use std::sync::Arc;

use entity::ids::{RoomId, TenantId, UserId};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use local::LocalBus;
pub use redis::{Health, Lease, LeaseId, Leased, Link, RedisBus, RedisRoster, Request, connect};
pub use roster::{Alone, Answer, Place, Roster, Unreachable, Version};
pub use topic::{Subscribed, Subscription, Topic};

use crate::{
    protocol::{
        Membership, Message, Notification, ParticipantChange, PresenceUpdate, ReadReceipt,
        RoomActivity, RoomStatusUpdate, RoomUpdated,
    },
    store::Listeners,
};

/// A node while it runs: one that was started again is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeId(pub Uuid);

/// Something that happened. Nodes of two releases may be running side by side: variants and fields are added, never
/// changed, and what is new must do without being understood.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A committed change of a room. They may arrive in any order; `live` puts them into the room's.
    Message {
        tenant: TenantId,
        message: Arc<Message>,
        listeners: Arc<Listeners>,
        /// In a support room: how many of the customer's messages the staff have not read with it.
        unread_count: Option<i64>,
    },
    /// Somebody began or ended typing, on one of their connections.
    Typing {
        tenant: TenantId,
        room: RoomId,
        typist: Typist,
        is_typing: bool,
        /// Whether the staff hear of it, looking at the room or not.
        is_support: bool,
    },
    /// A connection entered a room.
    Joined {
        tenant: TenantId,
        membership: Membership,
    },
    /// A user's last connection left a room; the user may be online still.
    Left {
        tenant: TenantId,
        membership: Membership,
        is_online: bool,
    },
    /// A user came online, or went offline and was last seen some time ago; and those who share a room with them.
    Presence {
        tenant: TenantId,
        update: PresenceUpdate,
        /// Where the change has its place among those of the user.
        version: Version,
        /// Whether all signed-in users of the tenant are told.
        to_all: bool,
        companions: Arc<[UserId]>,
        /// The user's open support room, if there is one.
        support_room: Option<RoomId>,
    },
    /// To the connections of one user.
    Notification {
        tenant: TenantId,
        user: UserId,
        notification: Arc<Notification>,
    },
    /// A customer has another open support room than before.
    SupportOpened {
        tenant: TenantId,
        customer: UserId,
        activity: RoomActivity,
    },
    /// Something goes on in a support room that its staff may want to know.
    Desk {
        tenant: TenantId,
        activity: RoomActivity,
    },
    /// A support room has another status, or somebody else looks after it.
    SupportStatus {
        tenant: TenantId,
        customers: Arc<[UserId]>,
        update: RoomStatusUpdate,
    },
    /// Somebody was made a participant of a room.
    ParticipantAdded {
        tenant: TenantId,
        change: ParticipantChange,
    },
    /// Somebody is a participant no more: from here on no connection of theirs hears the room.
    ParticipantRemoved {
        tenant: TenantId,
        change: ParticipantChange,
    },
    /// A room has another name, was archived, or somebody has another role in it.
    RoomUpdated {
        tenant: TenantId,
        update: Arc<RoomUpdated>,
    },
    /// What is remembered of a room does not hold any more.
    RoomChanged {
        tenant: TenantId,
        room: RoomId,
        /// Whether somebody may do less than before.
        overturns: bool,
    },
    /// Somebody has read further.
    Read {
        tenant: TenantId,
        receipt: ReadReceipt,
    },
    /// Access of a user has ended, and with it the connections that it made.
    AccessEnded {
        tenant: TenantId,
        user: UserId,
        which: Ended,
    },
    /// Something may have been committed that nobody has told: every node looks into the store.
    CatchUp,
}

/// Which of a user's access has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// What belongs to one session of a built-in account.
    Session(Uuid),
    /// What was got by tokens of a lower version.
    TokensBelow(i64),
    /// All of it: the user was disabled.
    Disabled,
    /// All of it: the guest turned out to be a user.
    GuestLinked,
}

/// A user typing on one connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Typist {
    pub user_id: UserId,
    pub username: Arc<str>,
    pub is_staff: bool,
    pub connection: u64,
}

impl PartialEq for Typist {
    fn eq(&self, other: &Self) -> bool {
        (&self.user_id, self.connection) == (&other.user_id, other.connection)
    }
}

impl Eq for Typist {}

/// Takes events to those who listen.
pub trait Bus: Send + Sync {
    /// Delivers to this node before it returns, whatever happens to other nodes.
    fn publish(&self, event: Event);

    /// From when this resolves until the subscription is dropped, what other nodes publish to the topic is heard here.
    /// Where they cannot be reached it resolves all the same; [`Listener::catch_up`] follows when they can.
    fn subscribe(&self, topic: Topic) -> BoxFuture<'_, Subscription>;

    /// What was published is on its way to other nodes when this resolves, if they can be reached: a node that stops says
    /// nothing more.
    fn flush(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// Where an event comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Here,
    /// Another node.
    Elsewhere,
}

/// What this node has to tell the roster again, see [`Listener::declare`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Redeclare {
    /// What it could not be told while it was away.
    Changed,
    /// Everything: the roster has lost it. Nobody was told that our users had gone, but of those who left another node
    /// before we said that they are here.
    Everything,
    /// Everything: others believed this node to be dead, and told so.
    Aloud,
}

/// Hears what is published.
pub trait Listener: Send + Sync + 'static {
    /// Must not block.
    fn hear(&self, event: Event, origin: Origin);

    /// Something may have been missed; the store knows. Called when other nodes can be reached again, and every now and
    /// then while they cannot.
    fn catch_up(&self);

    /// The roster has to be told who is here.
    fn declare(&self, what: Redeclare);

    /// A user was connected to a node that has died, and is nowhere any more. Whether that is told; if not, it is called
    /// again, with the same version.
    fn died(&self, tenant: TenantId, user: UserId, version: Version) -> BoxFuture<'_, bool>;
}
