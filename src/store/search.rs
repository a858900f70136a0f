//! Users and rooms by a part of their name.

use entity::{
    ids::{RoomId, TenantId, UserId},
    names::name_key,
    participants, rooms,
    rooms::RoomKind,
    users,
};
use sea_orm::{
    ColumnTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, LikeExpr},
};

use super::{Store, UserRow, rows::padded, timed};
use crate::error::Result;

/// A public room, and what a searcher is told beside it.
pub struct FoundRoom {
    pub room: rooms::Model,
    pub participant_count: i64,
    pub is_participant: bool,
}

impl Store {
    /// Signed-in users but the searcher, those first whose name begins with the text.
    pub async fn search_users(
        &self,
        tenant: &TenantId,
        searcher: &UserId,
        text: &str,
        limit: u32,
    ) -> Result<Vec<UserRow>> {
        let text = name_key(text);
        let begins = Expr::col(users::Column::NameKey).like(pattern("", &text));
        let query = users::Entity::find()
            .filter(users::Column::TenantId.eq(tenant.clone()))
            .filter(users::Column::IsGuest.eq(false))
            .filter(users::Column::Id.ne(searcher.clone()))
            .filter(Expr::col(users::Column::NameKey).like(pattern("%", &text)))
            .order_by(begins, Order::Desc)
            .order_by_asc(users::Column::NameKey)
            .order_by_asc(users::Column::Id)
            .limit(u64::from(limit));
        timed("search_users", query.all(&self.reader)).await
    }

    /// Public rooms that are in use, those with the newest activity first.
    pub async fn search_rooms(
        &self,
        tenant: &TenantId,
        searcher: &UserId,
        text: &str,
        limit: u32,
    ) -> Result<Vec<FoundRoom>> {
        let activity =
            Expr::col(rooms::Column::LastMessageAt).if_null(Expr::col(rooms::Column::CreatedAt));
        let query = rooms::Entity::find()
            .filter(rooms::Column::TenantId.eq(tenant.clone()))
            .filter(rooms::Column::Kind.eq(RoomKind::Public))
            .filter(rooms::Column::ArchivedAt.is_null())
            .filter(Expr::col(rooms::Column::NameKey).like(pattern("%", &name_key(text))))
            .order_by(activity, Order::Desc)
            .order_by_asc(rooms::Column::Id)
            .limit(u64::from(limit));
        let found = timed("search_rooms", query.all(&self.reader)).await?;
        let ids: Vec<RoomId> = found.iter().map(|room| room.id.clone()).collect();
        let counts: Vec<(RoomId, i64, i64)> = timed(
            "participant_counts",
            participants::Entity::find()
                .select_only()
                .column(participants::Column::RoomId)
                .column_as(participants::Column::UserId.count(), "participants")
                .column_as(
                    Expr::case(
                        participants::Column::UserId.eq(searcher.clone()),
                        Expr::val(1_i64),
                    )
                    .finally(Expr::val(0_i64))
                    .max(),
                    "mine",
                )
                .filter(participants::Column::TenantId.eq(tenant.clone()))
                .filter(participants::Column::RoomId.is_in(padded(ids)))
                .group_by(participants::Column::RoomId)
                .into_tuple()
                .all(&self.reader),
        )
        .await?;
        let with_counts = found.into_iter().map(|room| {
            let of_room = counts.iter().find(|(id, ..)| *id == room.id);
            FoundRoom {
                participant_count: of_room.map_or(0, |(_, count, _)| *count),
                is_participant: of_room.is_some_and(|(.., mine)| *mine > 0),
                room,
            }
        });
        Ok(with_counts.collect())
    }
}

/// A pattern for texts that hold `text` behind `before`; what it holds itself is no pattern.
fn pattern(before: &str, text: &str) -> LikeExpr {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    LikeExpr::new(format!("{before}{escaped}%")).escape('\\')
}
