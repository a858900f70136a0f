//! Leaving a room's live stream, which the room is told when the user is in it on no connection of any node any more.

use std::sync::Arc;

use entity::ids::{RoomId, TenantId};

use super::{Chat, Connection, RoomKey, rooms::membership_of};
use crate::{
    auth::Identity,
    bus::{Event, NodeId},
    protocol::Membership,
};

impl Chat {
    /// Leaves a room's live stream. Not being in it is no error.
    pub async fn leave_room(&self, connection: &Arc<Connection>, room: &RoomId) {
        let caller = connection.identity();
        let key = RoomKey::new(&caller.tenant, room);
        let departure = {
            // In turn with another connection's entering, which is told after it.
            let _turn = self.presence.turn(&caller.user_id);
            let Some(departure) = self.live.leave(&key, connection.id) else {
                return;
            };
            if departure.was_last && !self.roster.is_shared() {
                self.tell_left(&caller, &key, Vec::new());
            }
            departure
        };
        if departure.was_last && self.roster.is_shared() {
            self.tell_left_everywhere(&caller, &key).await;
        }
        self.typing_ended(connection, room, &departure);
        self.mark_read(&caller, room, departure.seen).await;
    }

    /// A user has left a room here. They may be in it on another node.
    async fn tell_left_everywhere(&self, caller: &Identity, key: &RoomKey) {
        let user = std::slice::from_ref(&caller.user_id);
        let elsewhere = self.roster.elsewhere(&caller.tenant, user).await;
        let nodes = elsewhere.into_values().next().unwrap_or_default();
        let _turn = self.presence.turn(&caller.user_id);
        // The user may have come back meanwhile.
        if !self.live.users_in(key).contains(&caller.user_id) {
            self.tell_left(caller, key, nodes);
        }
    }

    fn tell_left(&self, caller: &Identity, key: &RoomKey, nodes: Vec<NodeId>) {
        let tenant = caller.tenant.clone();
        let membership = membership_of(caller, &key.room);
        self.bus.publish(if nodes.is_empty() {
            Event::Left {
                is_online: self.presence.is_here(&tenant, &caller.user_id),
                tenant,
                membership,
            }
        } else {
            Event::Leaving {
                tenant,
                membership,
                nodes,
            }
        });
    }

    /// A user has left a room on another node. The first of `nodes` finds out whether they are in it there.
    pub(super) fn hear_leaving(
        &self,
        tenant: TenantId,
        membership: Membership,
        mut nodes: Vec<NodeId>,
    ) {
        if nodes.first() != Some(&self.node) {
            return;
        }
        let key = RoomKey::new(&tenant, &membership.room_id);
        if self.live.users_in(&key).contains(&membership.user_id) {
            return;
        }
        nodes.remove(0);
        self.bus.publish(if nodes.is_empty() {
            Event::Left {
                tenant,
                membership,
                is_online: true,
            }
        } else {
            Event::Leaving {
                tenant,
                membership,
                nodes,
            }
        });
    }
}
