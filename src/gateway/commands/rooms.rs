//! What is asked of rooms without being in them.

use super::{Caller, Command, Rest, fail_if_unanswered};
use crate::{
    error::Error,
    gateway::reply::Reply,
    protocol::{GetChanges, GetRoom, GetUserRooms, RoomList, RoomView},
};

impl Command for GetRoom {
    const EVENT: &'static str = "get_room";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        let room = caller.gateway.chat.get_room(&identity, &self.room_id).await;
        reply.give(room.map(|room| RoomView { room }));
        None
    }
}

impl Command for GetUserRooms {
    const EVENT: &'static str = "get_user_rooms";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        let rooms = caller.gateway.chat.rooms(&identity).await;
        reply.give(rooms.map(|rooms| RoomList { rooms }));
        None
    }
}

impl Command for GetChanges {
    const EVENT: &'static str = "get_changes";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        if !self.wait.0.is_zero() && caller.gateway.is_draining() {
            reply.fail(&Error::Restarting);
            return None;
        }
        let mut reply = Some(reply);
        let mut answer = |changes| {
            if let Some(reply) = reply.take() {
                reply.success(changes);
            }
        };
        let chat = &caller.gateway.chat;
        let result = chat.changes(&caller.connection, self, &mut answer).await;
        fail_if_unanswered(reply, result);
        None
    }
}
