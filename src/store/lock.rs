//! The rows that a transaction locks before it decides anything; in which order, `transactions.rs` says. SQLite has one
//! writer: there these only read.

use entity::rooms::{self, Column, Entity};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::interruptions::Place;

/// Some rooms, as they are until the transaction ends.
pub(super) async fn rooms(
    txn: &DatabaseTransaction,
    places: &[Place],
) -> Result<Vec<rooms::Model>, DbErr> {
    let mut places: Vec<_> = places
        .iter()
        .map(|(tenant, room)| (tenant.to_string(), room.to_string()))
        .collect();
    places.sort_unstable();
    places.dedup();
    let mut found = Vec::with_capacity(places.len());
    for part in places.chunks(100) {
        let any = part.iter().fold(Condition::any(), |any, (tenant, room)| {
            any.add(
                Condition::all()
                    .add(Column::TenantId.eq(tenant))
                    .add(Column::Id.eq(room)),
            )
        });
        let query = Entity::find()
            .filter(any)
            .order_by_asc(Column::TenantId)
            .order_by_asc(Column::Id)
            .lock_exclusive();
        found.extend(query.all(txn).await?);
    }
    Ok(found)
}
