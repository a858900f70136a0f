//! Who belongs to a room and how far they have read, and who wants nothing to do with whom.

use super::{Caller, Command, Rest};
use crate::{
    gateway::reply::Reply,
    protocol::{
        AddParticipant, ArchiveRoom, BlockUser, Done, GetBlockedUsers, MarkRead, RemoveParticipant,
        RenameRoom, RoomArchived, RoomRenamed, SetRole, UnblockUser,
    },
};

impl Command for AddParticipant {
    const EVENT: &'static str = "add_participant";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let (chat, identity) = (&caller.gateway.chat, caller.connection.identity());
        let added = chat.add_participant(&identity, &self.room_id, &self.user_id);
        reply.give(added.await.map(|()| Done {}));
        None
    }
}

impl Command for RemoveParticipant {
    const EVENT: &'static str = "remove_participant";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let (chat, identity) = (&caller.gateway.chat, caller.connection.identity());
        let removed = chat.remove_participant(&identity, &self.room_id, &self.user_id);
        reply.give(removed.await.map(|()| Done {}));
        None
    }
}

impl Command for SetRole {
    const EVENT: &'static str = "set_role";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let (chat, identity) = (&caller.gateway.chat, caller.connection.identity());
        let set = chat.set_role(&identity, &self.room_id, &self.user_id, self.role);
        reply.give(set.await.map(|()| Done {}));
        None
    }
}

impl Command for RenameRoom {
    const EVENT: &'static str = "rename_room";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let (chat, identity) = (&caller.gateway.chat, caller.connection.identity());
        let renamed = chat.rename_room(&identity, &self.room_id, self.name.0);
        reply.give(renamed.await.map(|room| RoomRenamed { room }));
        None
    }
}

impl Command for ArchiveRoom {
    const EVENT: &'static str = "archive_room";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let (chat, identity) = (&caller.gateway.chat, caller.connection.identity());
        let archived = self.archived.unwrap_or(true);
        let done = chat.archive_room(&identity, &self.room_id, archived).await;
        reply.give(done.map(|()| RoomArchived { archived }));
        None
    }
}

impl Command for MarkRead {
    const EVENT: &'static str = "mark_read";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        reply.give(caller.gateway.chat.read_up_to(&identity, self).await);
        None
    }
}

impl Command for BlockUser {
    const EVENT: &'static str = "block_user";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let (chat, identity) = (&caller.gateway.chat, caller.connection.identity());
        let blocked = chat.block_user(&identity, &self.user_id).await;
        reply.give(blocked.map(|()| Done {}));
        None
    }
}

impl Command for UnblockUser {
    const EVENT: &'static str = "unblock_user";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let (chat, identity) = (&caller.gateway.chat, caller.connection.identity());
        let unblocked = chat.unblock_user(&identity, &self.user_id).await;
        reply.give(unblocked.map(|()| Done {}));
        None
    }
}

impl Command for GetBlockedUsers {
    const EVENT: &'static str = "get_blocked_users";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        reply.give(caller.gateway.chat.blocked_users(&identity).await);
        None
    }
}
