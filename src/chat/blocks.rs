//! Blocking: two users, of whom one has blocked the other, send each other no private messages and add each other to no
//! room. Only the one who did it can find out. Where it is enforced: `store/permission.rs` for messages, `create` in
//! `store/rooms.rs` for new rooms, `access.rs` for participants.

use entity::ids::UserId;

use super::{Chat, Entry, RoomKey, rooms::direct_key_of};
use crate::{
    auth::Identity,
    error::{Error, Result},
    protocol::{BlockedUser, BlockedUsers},
};

/// Users whom one may block.
const MAX_BLOCKED: u64 = 1000;

impl Chat {
    /// Blocks a user. When this returns, no message of theirs is on its way any more.
    pub async fn block_user(&self, caller: &Identity, other: &UserId) -> Result<()> {
        if *other == caller.user_id {
            return Err(Error::invalid("nobody can block themselves"));
        }
        self.may_block(caller, other).await?;
        self.known_user(caller, other).await?;
        let (tenant, pair) = (&caller.tenant, [&caller.user_id, other]);
        let (key, now) = (direct_key_of(caller, other), self.clock.now());
        let has_place = self
            .store
            .block(tenant, pair, key, now, MAX_BLOCKED)
            .await?;
        if !has_place {
            return Err(Error::invalid(format!(
                "more than {MAX_BLOCKED} users are blocked"
            )));
        }
        self.audit
            .note(Entry::new("user.block", caller).subject(other));
        self.forget_direct_room(caller, other).await
    }

    /// Ends a block of the caller's, if there is one.
    pub async fn unblock_user(&self, caller: &Identity, other: &UserId) -> Result<()> {
        self.store
            .unblock(&caller.tenant, &caller.user_id, other)
            .await?;
        self.audit
            .note(Entry::new("user.unblock", caller).subject(other));
        self.forget_direct_room(caller, other).await
    }

    /// Whom the caller has blocked.
    pub async fn blocked_users(&self, caller: &Identity) -> Result<BlockedUsers> {
        let blocked = self
            .store
            .blocked(&caller.tenant, &caller.user_id, MAX_BLOCKED)
            .await?;
        let users = blocked.into_iter().map(|blocked| BlockedUser {
            id: blocked.user_id,
            username: blocked.username,
            blocked_at: blocked.since,
        });
        Ok(BlockedUsers {
            users: users.collect(),
        })
    }

    /// What is remembered of the room of two users says whether one has blocked the other.
    async fn forget_direct_room(&self, caller: &Identity, other: &UserId) -> Result<()> {
        let key = direct_key_of(caller, other);
        if let Some(room) = self.store.direct_room(&caller.tenant, &key).await? {
            self.tell_changed(&RoomKey::new(&caller.tenant, &room.id), true);
        }
        Ok(())
    }
}
