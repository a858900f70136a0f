//! What staff ask for in namespace `/admin`.

use serde_json::value::RawValue;

use super::{Caller, Command, Rest, commands, fail_if_unanswered, run};
use crate::{
    error::Error,
    gateway::reply::Reply,
    protocol::{
        AdminGetMessages, AdminMarkRead, AdminMessage, AdminTyping, AssignRoom, Authenticate,
        CloseRoom, Done, GetRooms, MessageSent, ViewRoom,
    },
};

commands! {
    AdminMessage,
    AdminGetMessages,
    AdminMarkRead,
    AdminTyping,
    ViewRoom,
    AssignRoom,
    CloseRoom,
    GetRooms,
    Authenticate,
}

impl Command for AdminMessage {
    const EVENT: &'static str = "admin_message";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        let sent = caller.gateway.chat.send_as_staff(&identity, self).await;
        reply.give(sent.map(|message| MessageSent { message }));
        None
    }
}

impl Command for AdminGetMessages {
    const EVENT: &'static str = "get_messages";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let mut reply = Some(reply);
        let mut answer = |page| {
            if let Some(reply) = reply.take() {
                reply.success(page);
            }
        };
        let chat = &caller.gateway.chat;
        let result = chat
            .history_for_staff(&caller.connection, self.0, &mut answer)
            .await;
        fail_if_unanswered(reply, result);
        None
    }
}

impl Command for AdminMarkRead {
    const EVENT: &'static str = "mark_read";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        let chat = &caller.gateway.chat;
        reply.give(chat.read_as_staff(&identity, &self.room_id, self.seq).await);
        None
    }
}

impl Command for AdminTyping {
    const EVENT: &'static str = "typing";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let chat = &caller.gateway.chat;
        let typing = chat.typing_as_staff(&caller.connection, self.room_id, self.is_typing);
        reply.give(typing.await.map(|()| Done {}));
        None
    }
}

impl Command for ViewRoom {
    const EVENT: &'static str = "view_room";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let chat = &caller.gateway.chat;
        reply.give(chat.view_room(&caller.connection, self.room_id).await);
        None
    }
}

impl Command for AssignRoom {
    const EVENT: &'static str = "assign_room";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        reply.give(caller.gateway.chat.assign_room(&identity, self).await);
        None
    }
}

impl Command for CloseRoom {
    const EVENT: &'static str = "close_room";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        let chat = &caller.gateway.chat;
        reply.give(chat.close_as_staff(&identity, &self.room_id).await);
        None
    }
}

impl Command for GetRooms {
    const EVENT: &'static str = "get_rooms";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        reply.give(caller.gateway.chat.support_rooms(&identity, self).await);
        None
    }
}
