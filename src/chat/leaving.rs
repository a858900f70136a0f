//! Leaving a room's live stream, which the room is told when the user is in it on no connection of any node any more.

use std::sync::Arc;

use entity::ids::RoomId;

use super::{Chat, Connection, RoomKey, rooms::membership_of};
use crate::{auth::Identity, bus::Event};

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
                self.tell_left(&caller, &key);
            }
            departure
        };
        if self.roster.is_shared() {
            self.note_rooms(&caller.tenant, &caller.user_id, None).await;
            if departure.was_last && !self.is_in_elsewhere(&caller, room).await {
                let _turn = self.presence.turn(&caller.user_id);
                // The user may have come back meanwhile.
                if !self.live.users_in(&key).contains(&caller.user_id) {
                    self.tell_left(&caller, &key);
                }
            }
        }
        self.typing_ended(connection, room, &departure);
        self.mark_read(&caller, room, departure.seen).await;
    }

    /// Whether a user is in a room on another node.
    async fn is_in_elsewhere(&self, caller: &Identity, room: &RoomId) -> bool {
        let user = std::slice::from_ref(&caller.user_id);
        let places = self.roster.elsewhere(&caller.tenant, user).await;
        let mut places = places.values().flatten();
        places.any(|place| place.rooms.contains(room))
    }

    fn tell_left(&self, caller: &Identity, key: &RoomKey) {
        self.bus.publish(Event::Left {
            tenant: caller.tenant.clone(),
            membership: membership_of(caller, &key.room),
            is_online: self.presence.is_here(&caller.tenant, &caller.user_id),
        });
    }
}
