//! Who of the staff looks at which room, over all nodes.

use entity::ids::TenantId;

use crate::{chat::Chat, protocol::Viewer};

/// The note under which nodes pin up who looks at which room.
const VIEWERS: &str = "viewers";

impl Chat {
    /// Lets other nodes know which rooms are looked at here.
    pub(super) async fn pin_viewers(&self, tenant: &TenantId) {
        if !self.roster.is_shared() {
            return;
        }
        let viewers = self.desk.viewers(tenant);
        let note = serde_json::to_string(&viewers).ok();
        let note = note.filter(|_| !viewers.is_empty());
        if self.roster.pin(tenant, VIEWERS, note).await.is_err() {
            tracing::debug!("other nodes were not told who looks at which support room");
        }
    }

    /// Who of the staff looks at which room, on whatever node.
    pub(super) async fn viewers(&self, tenant: &TenantId) -> Vec<Viewer> {
        let mut viewers = self.desk.viewers(tenant);
        for note in self.roster.pinned(tenant, VIEWERS).await {
            viewers.extend(serde_json::from_str::<Vec<Viewer>>(&note).unwrap_or_default());
        }
        viewers.sort_by(|a, b| (&a.room_id, &a.user_id).cmp(&(&b.room_id, &b.user_id)));
        viewers.dedup();
        viewers
    }
}
