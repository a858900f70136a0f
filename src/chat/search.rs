//! Finding people to write to and rooms to enter, by name.

use entity::ids::UserId;
use tokio::sync::SemaphorePermit;

use super::{Chat, rooms::to_room};
use crate::{
    auth::Identity,
    error::{Error, Result},
    protocol::{RoomFound, RoomsFound, SearchRooms, SearchUsers, UserFound, UsersFound},
};

impl Chat {
    /// Searches read many rows: those of a user are limited, and all take turns, so that readers are left for the rest.
    async fn search_turn(&self, caller: &Identity) -> Result<SemaphorePermit<'_>> {
        Self::may_search(caller)?;
        self.limits.search(&caller.tenant, &caller.user_id)?;
        self.searching.acquire().await.map_err(|_| Error::Internal)
    }

    /// Users whom the caller could write to.
    pub async fn search_users(&self, caller: &Identity, search: SearchUsers) -> Result<UsersFound> {
        let _turn = self.search_turn(caller).await?;
        let found = self
            .store
            .search_users(
                &caller.tenant,
                &caller.user_id,
                &search.query.0,
                search.limit.0,
            )
            .await?;
        let ids: Vec<UserId> = found.iter().map(|user| user.id.clone()).collect();
        let online = self.online(&caller.tenant, &ids).await;
        let users = found.into_iter().map(|user| {
            let online = online.contains(&user.id);
            UserFound {
                id: user.id,
                username: user.username,
                online,
                last_seen: user.last_seen_at.filter(|_| !online),
            }
        });
        Ok(UsersFound {
            users: users.collect(),
        })
    }

    /// Rooms that the caller could enter unasked.
    pub async fn search_rooms(&self, caller: &Identity, search: SearchRooms) -> Result<RoomsFound> {
        let _turn = self.search_turn(caller).await?;
        let found = self
            .store
            .search_rooms(
                &caller.tenant,
                &caller.user_id,
                &search.query.0,
                search.limit.0,
            )
            .await?;
        let rooms = found.into_iter().map(|found| RoomFound {
            room: to_room(&found.room),
            participant_count: found.participant_count,
            is_participant: found.is_participant,
        });
        Ok(RoomsFound {
            rooms: rooms.collect(),
        })
    }
}
