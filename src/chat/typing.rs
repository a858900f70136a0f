//! Typing: told to the room when the list of who types changes. The list lives in the live room; it ends with the
//! message, on leaving, with the connection, and by itself.

use std::sync::Arc;

use super::{Chat, Connection};
use crate::{
    bus::{Event, Typist},
    protocol::Typing,
};

impl Chat {
    /// From a connection that is not in the room it is ignored.
    pub fn typing(&self, connection: &Arc<Connection>, request: Typing) {
        let caller = connection.identity();
        self.bus.publish(Event::Typing {
            tenant: caller.tenant.clone(),
            room: request.room_id,
            typist: Typist {
                user_id: caller.user_id.clone(),
                connection: connection.id,
            },
            is_typing: request.is_typing,
        });
    }
}
