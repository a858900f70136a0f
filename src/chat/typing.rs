//! Typing: told to the room when the list of who types changes. The list lives in the live room; it ends with the
//! message, on leaving, with the connection, and by itself.

use std::sync::Arc;

use entity::ids::RoomId;

use super::{Chat, Connection, Namespace, RoomKey, live::Departure};
use crate::{
    bus::{Event, Typist},
    error::Result,
    protocol::Typing,
};

impl Chat {
    /// The connection types in a room no more.
    pub(super) async fn stop_typing(
        &self,
        connection: &Arc<Connection>,
        room_id: RoomId,
    ) -> Result<()> {
        let request = Typing {
            room_id,
            is_typing: false,
        };
        self.typing(connection, request).await
    }

    /// A connection that typed has left the room, which this node has seen: the others are told.
    pub(super) fn typing_ended(
        &self,
        connection: &Connection,
        room: &RoomId,
        departure: &Departure,
    ) {
        if let Some(typist) = &departure.typed
            && self.roster.is_shared()
        {
            self.bus.publish(Event::Typing {
                tenant: connection.identity().tenant.clone(),
                room: room.clone(),
                typist: typist.clone(),
                is_typing: false,
                is_support: connection.namespace != Namespace::Chat,
            });
        }
    }

    /// Ignored from a connection that is not in the room, and where no message could follow: in an archived room, or
    /// between two who have blocked each other.
    pub async fn typing(&self, connection: &Arc<Connection>, request: Typing) -> Result<()> {
        let caller = connection.identity();
        let key = RoomKey::new(&caller.tenant, &request.room_id);
        if !self.live.has_joined(&key, connection.id) {
            return Ok(());
        }
        let room = self.room(&caller.tenant, &request.room_id).await?;
        if request.is_typing && !room.takes_messages() {
            return Ok(());
        }
        self.bus.publish(Event::Typing {
            tenant: caller.tenant.clone(),
            room: request.room_id,
            typist: Typist {
                user_id: caller.user_id.clone(),
                username: Arc::clone(&caller.username),
                is_staff: connection.namespace == Namespace::Admin,
                connection: connection.id,
            },
            is_typing: request.is_typing,
            is_support: connection.namespace != Namespace::Chat,
        });
        Ok(())
    }
}
