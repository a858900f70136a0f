//! The server: everything wired, bound to an address, run until it is told to stop, drained.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle, time::timeout};

use crate::{
    auth::Authenticator,
    chat::{COMMITTED_QUEUE, Chat},
    clock::Clock,
    config::Config,
    gateway::{self, Gateway},
    store::{OpenError, Store},
    telemetry,
};

/// How often limiters forget.
const SWEEP: Duration = Duration::from_secs(60);

/// Why the server did not start, in words for an operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error("{0}")]
    Keys(String),
    #[error("listen: {0}: {1}")]
    Listen(SocketAddr, io::Error),
}

/// A server that is bound and not running yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    gateway: Arc<Gateway>,
    store: Store,
    publisher: JoinHandle<()>,
}

impl Server {
    /// Opens the database, brings it up to date, and takes the address.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running.
    pub async fn bind(config: Config, clock: Clock) -> Result<Self, StartError> {
        telemetry::metrics();
        let (committed, queue) = mpsc::channel(COMMITTED_QUEUE);
        let store = Store::open(&config, clock.clone(), committed).await?;
        let authenticator = Authenticator::new(&config, clock.clone()).map_err(StartError::Keys)?;
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(|error| StartError::Listen(config.listen, error))?;
        let address = listener
            .local_addr()
            .map_err(|error| StartError::Listen(config.listen, error))?;
        let (chat, publisher) = Chat::start(config.clone(), clock, store.clone(), queue);
        let gateway = Gateway::new(config, chat, authenticator);
        Ok(Self {
            listener,
            address,
            gateway,
            store,
            publisher,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is ready, then drains: when this returns everything acknowledged is on disk and all
    /// connections are closed.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let router = gateway::router(&self.gateway);
        tracing::info!(address = %self.address, "listening");
        let sweeping = tokio::spawn(sweep(Arc::clone(&self.gateway)));
        let serving = gateway::serve(Arc::clone(&self.gateway), self.listener, router);
        tokio::select! {
            () = serving => {}
            () = async {
                shutdown.await;
                self.gateway.drain().await;
            } => {}
        }
        sweeping.abort();
        self.store.close().await;
        // It ends with the writer.
        if timeout(Duration::from_secs(5), self.publisher)
            .await
            .is_err()
        {
            tracing::warn!(
                "not all committed messages were delivered in time; clients find them when they return"
            );
        }
        tracing::info!("stopped");
    }
}

async fn sweep(gateway: Arc<Gateway>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        gateway.chat.limits.sweep();
        telemetry::metrics().run_upkeep();
    }
}
