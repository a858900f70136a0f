//! The one way out: what any connection may have to hear goes through the bus to every node that listens, this one
//! included. So there is one path for all doors and nodes.

mod local;

use std::{sync::Arc, time::Instant};

use entity::ids::{RoomId, TenantId, UserId};

use uuid::Uuid;

pub use local::LocalBus;

use crate::{
    protocol::{
        Membership, Message, Notification, ParticipantChange, PresenceUpdate, ReadReceipt,
        RoomActivity, RoomStatusUpdate, RoomUpdated,
    },
    store::{Delivery, SupportState},
};

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A committed change of a room. They may arrive in any order; `live` puts them into the room's.
    Message {
        tenant: TenantId,
        message: Arc<Message>,
        delivery: Arc<Delivery>,
        /// In a support room: where it stands with the message.
        support: Option<Arc<SupportState>>,
        arrived: Instant,
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
        is_guest: bool,
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
}

/// Which of a user's access has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug)]
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
}

/// Hears what is published.
pub trait Listener: Send + Sync {
    fn hear(&self, event: Event);
}
