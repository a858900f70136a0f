//! Where events go: what a node listens to while somebody on it does.

use entity::ids::{RoomId, TenantId, UserId};

use super::Event;
use crate::store::Listeners;

/// What can be subscribed to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    Room(TenantId, RoomId),
    User(TenantId, UserId),
    /// All signed-in users of a tenant.
    Tenant(TenantId),
    /// The staff of a tenant.
    Desk(TenantId),
    /// Every node, always.
    Nodes,
}

impl Event {
    /// Where it is published; a node that listens to several hears it once.
    #[must_use]
    pub fn topics(&self) -> Vec<Topic> {
        let desk = |tenant: &TenantId| Topic::Desk(tenant.clone());
        match self {
            Self::Message {
                tenant,
                message,
                listeners,
                ..
            } => match &**listeners {
                Listeners::None => vec![room(tenant, &message.room_id)],
                // Nobody else can be in the room.
                Listeners::Direct(pair) => users(tenant, pair).collect(),
                Listeners::Support(customers) => users(tenant, customers)
                    .chain([room(tenant, &message.room_id), desk(tenant)])
                    .collect(),
            },
            Self::RoomChanged {
                tenant, room: id, ..
            } => vec![room(tenant, id)],
            Self::Typing {
                tenant,
                room: id,
                is_support,
                ..
            } => {
                let staff = is_support.then(|| desk(tenant));
                staff.into_iter().chain([room(tenant, id)]).collect()
            }
            Self::Joined { tenant, membership }
            | Self::Left {
                tenant, membership, ..
            } => {
                vec![room(tenant, &membership.room_id)]
            }
            Self::Presence {
                tenant,
                update,
                to_all,
                companions,
                support_room,
                ..
            } => {
                let mut topics = vec![user(tenant, &update.user_id)];
                topics.extend(users(tenant, companions));
                topics.extend(to_all.then(|| Topic::Tenant(tenant.clone())));
                topics.extend(support_room.as_ref().map(|_| desk(tenant)));
                topics
            }
            Self::Notification {
                tenant, user: to, ..
            }
            | Self::AccessEnded {
                tenant, user: to, ..
            } => vec![user(tenant, to)],
            Self::SupportOpened {
                tenant, customer, ..
            } => vec![user(tenant, customer), desk(tenant)],
            Self::Desk { tenant, .. } => vec![desk(tenant)],
            Self::SupportStatus {
                tenant,
                customers,
                update,
            } => users(tenant, customers)
                .chain([room(tenant, &update.room_id), desk(tenant)])
                .collect(),
            Self::ParticipantAdded { tenant, change }
            | Self::ParticipantRemoved { tenant, change } => {
                vec![room(tenant, &change.room_id), user(tenant, &change.user_id)]
            }
            Self::RoomUpdated { tenant, update } => vec![room(tenant, &update.room.id)],
            Self::Read { tenant, receipt } => vec![room(tenant, &receipt.room_id)],
            Self::CatchUp => vec![Topic::Nodes],
        }
    }
}

fn room(tenant: &TenantId, room: &RoomId) -> Topic {
    Topic::Room(tenant.clone(), room.clone())
}

fn user(tenant: &TenantId, user: &UserId) -> Topic {
    Topic::User(tenant.clone(), user.clone())
}

fn users(tenant: &TenantId, users: &[UserId]) -> impl Iterator<Item = Topic> {
    users.iter().map(move |one| user(tenant, one))
}

/// Ends the subscription when dropped.
pub trait Subscribed: Send + Sync {
    /// Whether nothing can have been missed since it began.
    fn is_current(&self) -> bool;
}

/// A topic that is listened to, until this is dropped.
pub struct Subscription(Option<Box<dyn Subscribed>>);

impl Subscription {
    #[must_use]
    pub fn new(subscribed: impl Subscribed + 'static) -> Self {
        Self(Some(Box::new(subscribed)))
    }

    /// Where there is no other node.
    #[must_use]
    pub const fn alone() -> Self {
        Self(None)
    }

    /// Whether nothing can have been missed since it began.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(|subscribed| subscribed.is_current())
    }
}
