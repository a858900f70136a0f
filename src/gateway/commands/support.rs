//! What customers ask for in namespace `/support`: always about their own support room.

use serde_json::value::RawValue;

use super::{Caller, Command, Rest, commands, fail_if_unanswered, run};
use crate::{
    error::Error,
    gateway::reply::Reply,
    protocol::{
        Authenticate, Done, GetOwnRoom, MessageSent, OpenRoom, OwnSupportRoom, SupportChatMessage,
        SupportCloseRoom, SupportGetMessages, SupportMarkRead, SupportRoomClosed, SupportTyping,
    },
};

commands! {
    OpenRoom,
    GetOwnRoom,
    SupportChatMessage,
    SupportTyping,
    SupportGetMessages,
    SupportMarkRead,
    SupportCloseRoom,
    Authenticate,
}

impl Command for OpenRoom {
    const EVENT: &'static str = "open_room";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        let opened = caller.gateway.chat.open_support_room(&identity, self).await;
        reply.give(opened);
        None
    }
}

impl Command for GetOwnRoom {
    const EVENT: &'static str = "get_room";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        let room = caller.gateway.chat.own_support_room(&identity).await;
        reply.give(room.map(|room| OwnSupportRoom { room }));
        None
    }
}

impl Command for SupportChatMessage {
    const EVENT: &'static str = "chat_message";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        let sent = caller.gateway.chat.send_as_customer(&identity, self).await;
        reply.give(sent.map(|message| MessageSent { message }));
        None
    }
}

impl Command for SupportTyping {
    const EVENT: &'static str = "typing";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let chat = &caller.gateway.chat;
        let typing = chat.typing_as_customer(&caller.connection, self.room_id, self.is_typing);
        reply.give(typing.await.map(|()| Done {}));
        None
    }
}

impl Command for SupportGetMessages {
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
            .history_for_customer(&caller.connection, self, &mut answer)
            .await;
        fail_if_unanswered(reply, result);
        None
    }
}

impl Command for SupportMarkRead {
    const EVENT: &'static str = "mark_read";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        let chat = &caller.gateway.chat;
        let read = chat.read_as_customer(&identity, self.room_id, self.seq);
        reply.give(read.await);
        None
    }
}

impl Command for SupportCloseRoom {
    const EVENT: &'static str = "close_room";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        let chat = &caller.gateway.chat;
        let closed = chat.close_as_customer(&identity, self.room_id).await;
        reply.give(closed.map(|room| SupportRoomClosed {
            room_id: room.id.clone(),
            room,
        }));
        None
    }
}
