//! Who of the staff is connected here, and which room each looks at.

use std::{collections::HashMap, sync::Arc};

use dashmap::DashMap;
use entity::ids::{RoomId, TenantId};
use serde::Serialize;

use crate::{
    chat::{Connection, ConnectionId},
    protocol::{Viewer, to_raw},
};

/// The staff who are connected here.
#[derive(Default)]
pub(in crate::chat) struct Desk {
    tenants: DashMap<TenantId, HashMap<ConnectionId, Seat>>,
}

struct Seat {
    connection: Arc<Connection>,
    /// The room that is being looked at.
    viewing: Option<RoomId>,
}

/// What looking at another room changed: the room that nobody of the same name looks at any more, and whether the new
/// one is looked at for the first time.
pub(super) struct Turned {
    pub(super) left: Option<RoomId>,
    pub(super) is_new: bool,
}

impl Desk {
    pub(super) fn sit(&self, connection: &Arc<Connection>) {
        let seat = Seat {
            connection: Arc::clone(connection),
            viewing: None,
        };
        let tenant = connection.identity().tenant.clone();
        self.tenants
            .entry(tenant)
            .or_default()
            .insert(connection.id, seat);
    }

    pub(in crate::chat) fn connections(&self, tenant: &TenantId) -> Vec<Arc<Connection>> {
        let seats = self.tenants.get(tenant);
        seats.map_or_else(Vec::new, |seats| {
            seats
                .values()
                .map(|seat| Arc::clone(&seat.connection))
                .collect()
        })
    }

    pub(in crate::chat) fn tell(
        &self,
        tenant: &TenantId,
        event: &'static str,
        payload: &impl Serialize,
    ) {
        let staff = self.connections(tenant);
        if staff.is_empty() {
            return;
        }
        let payload = to_raw(payload);
        for connection in staff {
            connection.push(event, &payload);
        }
    }

    pub(super) fn viewing(&self, connection: &Connection) -> Option<RoomId> {
        let seats = self.tenants.get(&connection.identity().tenant)?;
        seats.get(&connection.id)?.viewing.clone()
    }

    pub(super) fn turn(
        &self,
        connection: &Connection,
        room: Option<&RoomId>,
        is_leaving: bool,
    ) -> Turned {
        let identity = connection.identity();
        let Some(mut seats) = self.tenants.get_mut(&identity.tenant) else {
            return Turned {
                left: None,
                is_new: false,
            };
        };
        let views = |seats: &HashMap<ConnectionId, Seat>, room: &RoomId| {
            seats.values().any(|seat| {
                seat.viewing.as_ref() == Some(room)
                    && seat.connection.identity().user_id == identity.user_id
            })
        };
        let is_new = room.is_some_and(|room| !views(&seats, room));
        let before = seats
            .get_mut(&connection.id)
            .and_then(|seat| std::mem::replace(&mut seat.viewing, room.cloned()));
        if is_leaving {
            seats.remove(&connection.id);
        }
        let left = before.filter(|room| !views(&seats, room));
        Turned { left, is_new }
    }

    pub(super) fn viewers(&self, tenant: &TenantId) -> Vec<Viewer> {
        let Some(seats) = self.tenants.get(tenant) else {
            return Vec::new();
        };
        let mut viewers: Vec<Viewer> = seats
            .values()
            .filter_map(|seat| {
                let identity = seat.connection.identity();
                Some(Viewer {
                    room_id: seat.viewing.clone()?,
                    user_id: identity.user_id.clone(),
                    username: identity.username.to_string(),
                })
            })
            .collect();
        viewers.sort_by(|a, b| (&a.room_id, &a.user_id).cmp(&(&b.room_id, &b.user_id)));
        viewers.dedup();
        viewers
    }
}
