//! What users ask for in namespace `/`, in rooms and among each other.

use serde_json::value::RawValue;

use super::{Caller, Command, Rest, answer_when_stored, commands, fail_if_unanswered, run};
use crate::{
    error::Error,
    gateway::reply::Reply,
    protocol::{
        AddParticipant, ArchiveRoom, Authenticate, BlockUser, ChatMessage, ConversationList,
        CreateRoom, Done, GetBlockedUsers, GetChanges, GetMessages, GetRoom, GetRoomParticipants,
        GetUserConversations, GetUserRooms, JoinRoom, LeaveRoom, MarkRead, MessageSent,
        ParticipantList, PresenceUpdate, PrivateMessage, PrivateMessageSent, RemoveParticipant,
        RenameRoom, SearchRooms, SearchUsers, SetRole, Typing, UnblockUser,
    },
};

commands! {
    CreateRoom,
    JoinRoom,
    LeaveRoom,
    ChatMessage,
    Typing,
    GetMessages,
    GetRoomParticipants,
    PrivateMessage,
    GetUserConversations,
    GetUserRooms,
    GetRoom,
    GetChanges,
    SearchUsers,
    SearchRooms,
    AddParticipant,
    RemoveParticipant,
    SetRole,
    RenameRoom,
    ArchiveRoom,
    MarkRead,
    BlockUser,
    UnblockUser,
    GetBlockedUsers,
    Authenticate,
}

impl Command for CreateRoom {
    const EVENT: &'static str = "create_room";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        reply.give(
            caller
                .gateway
                .chat
                .create_room(&caller.connection.identity(), self)
                .await,
        );
        None
    }
}

impl Command for JoinRoom {
    const EVENT: &'static str = "join_room";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let mut reply = Some(reply);
        let mut answer = |joined| {
            if let Some(reply) = reply.take() {
                reply.success(joined);
            }
        };
        let result = caller
            .gateway
            .chat
            .join_room(&caller.connection, self, &mut answer)
            .await;
        fail_if_unanswered(reply, result);
        None
    }
}

impl Command for LeaveRoom {
    const EVENT: &'static str = "leave_room";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        caller
            .gateway
            .chat
            .leave_room(&caller.connection, &self.room_id)
            .await;
        reply.success(Done {});
        None
    }
}

impl Command for ChatMessage {
    const EVENT: &'static str = "chat_message";
    const PIPELINED: bool = true;

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        let sending = caller.gateway.chat.send_message(&identity, self).await;
        answer_when_stored(caller, reply, sending, |message| MessageSent { message })
    }
}

impl Command for PrivateMessage {
    const EVENT: &'static str = "private_message";
    const PIPELINED: bool = true;

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        let sending = caller
            .gateway
            .chat
            .send_private_message(&identity, self)
            .await;
        answer_when_stored(caller, reply, sending, |message| PrivateMessageSent {
            room_id: message.room_id.clone(),
            message,
        })
    }
}

impl Command for Typing {
    const EVENT: &'static str = "typing";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let chat = &caller.gateway.chat;
        let typing = chat.typing(&caller.connection, self).await;
        reply.give(typing.map(|()| Done {}));
        None
    }
}

impl Command for GetMessages {
    const EVENT: &'static str = "get_messages";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let mut reply = Some(reply);
        let mut answer = |page| {
            if let Some(reply) = reply.take() {
                reply.success(page);
            }
        };
        let result = caller
            .gateway
            .chat
            .get_messages(&caller.connection, self, &mut answer)
            .await;
        fail_if_unanswered(reply, result);
        None
    }
}

impl Command for GetRoomParticipants {
    const EVENT: &'static str = "get_room_participants";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        match caller
            .gateway
            .chat
            .participants(&caller.connection.identity(), &self.room_id)
            .await
        {
            Ok(participants) => {
                let online: Vec<PresenceUpdate> = participants
                    .iter()
                    .filter(|participant| participant.online)
                    .map(|participant| PresenceUpdate {
                        user_id: participant.id.clone(),
                        username: participant.username.clone(),
                        last_seen: None,
                    })
                    .collect();
                reply.success(ParticipantList { participants });
                // So that a client that starts everyone as offline is right.
                for update in &online {
                    caller.connection.send("user_online", update);
                }
            }
            Err(error) => reply.fail(&error),
        }
        None
    }
}

impl Command for GetUserConversations {
    const EVENT: &'static str = "get_user_conversations";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let conversations = caller
            .gateway
            .chat
            .conversations(&caller.connection.identity())
            .await;
        reply.give(conversations.map(|conversations| ConversationList { conversations }));
        None
    }
}

impl Command for SearchUsers {
    const EVENT: &'static str = "search_users";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        reply.give(caller.gateway.chat.search_users(&identity, self).await);
        None
    }
}

impl Command for SearchRooms {
    const EVENT: &'static str = "search_rooms";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        reply.give(caller.gateway.chat.search_rooms(&identity, self).await);
        None
    }
}
