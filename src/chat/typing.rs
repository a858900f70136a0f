//! Typing: told to the room when the list of who types changes. The list lives in the live room; it ends with the
//! message, on leaving, with the connection, and by itself.

use std::sync::Arc;

use entity::ids::RoomId;

use super::{Chat, Connection, Namespace};
use crate::{
    bus::{Event, Typist},
    protocol::Typing,
};

impl Chat {
    /// The connection types in a room no more.
    pub(super) fn stop_typing(&self, connection: &Arc<Connection>, room_id: RoomId) {
        self.typing(
            connection,
            Typing {
                room_id,
                is_typing: false,
            },
        );
    }

    /// From a connection that is not in the room it is ignored.
    pub fn typing(&self, connection: &Arc<Connection>, request: Typing) {
        let caller = connection.identity();
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
    }
}
