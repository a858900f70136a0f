//! The server: everything wired, bound to an address, run until it is told to stop, drained.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle, time::timeout};

use crate::{
    auth::{Authenticator, Identity, Inspection},
    bus::Link,
    chat::{COMMITTED_QUEUE, Chat, SESSION_ENDED, has_access},
    clock::Clock,
    config::{Accounts, Config},
    error::Error,
    gateway::{self, Gateway},
    store::{Condition, OpenError, Store, StoredAccess},
    telemetry,
};

/// How often limiters forget.
const SWEEP: Duration = Duration::from_mins(1);

/// How often key files are looked at again.
const KEYS: Duration = Duration::from_secs(2);

/// How long it may take to store and deliver what there is when all connections are closed.
const AT_THE_END: Duration = Duration::from_secs(5);

/// Why the server did not start, in words for an operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error("{0}")]
    Keys(String),
    #[error("{0}")]
    Redis(String),
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
        let link = Link::start(&config).map_err(StartError::Redis)?;
        let store = Store::open(&config, clock.clone(), committed).await?;
        let authenticator = Authenticator::new(&config, clock.clone()).map_err(StartError::Keys)?;
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(|error| StartError::Listen(config.listen, error))?;
        let address = listener
            .local_addr()
            .map_err(|error| StartError::Listen(config.listen, error))?;
        let (chat, publisher) = Chat::start(config.clone(), clock, store.clone(), queue, link);
        let gateway = Gateway::new(config, chat, authenticator);
        Ok(Self {
            listener,
            address,
            gateway,
            store,
            publisher,
        })
    }

    /// Brings the database up to date.
    ///
    /// # Errors
    /// [`StartError::Store`].
    pub async fn migrate(config: &Config) -> Result<(), StartError> {
        Ok(Store::migrate(config).await?)
    }

    /// Looks at what the settings name without changing any of it: the keys, the database, Redis, the address. A server
    /// may be running with them.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn check(config: &Config) -> Result<Vec<String>, StartError> {
        let mut findings = Vec::new();
        if config.has_issuer() {
            Authenticator::new(config, Clock::System).map_err(StartError::Keys)?;
            findings.push("the keys that check tokens can be read".to_owned());
        } else {
            findings.push(
                "no key is set: the server keeps a random secret in the data folder".to_owned(),
            );
        }
        findings.push(match Store::inspect(config).await? {
            Condition::New => "there is no database yet: the first start makes it".to_owned(),
            Condition::Older => {
                "the database is older: the next start brings it up to date".to_owned()
            }
            Condition::Current => "the database can be read and is up to date".to_owned(),
        });
        if Link::inspect(config).await.map_err(StartError::Redis)? {
            findings.push("Redis is there and takes writes".to_owned());
        }
        match TcpListener::bind(config.listen).await {
            Ok(_) => findings.push(format!("{} is free", config.listen)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                findings.push(format!(
                    "{} is in use, perhaps by this very server",
                    config.listen
                ));
            }
            Err(error) => return Err(StartError::Listen(config.listen, error)),
        }
        Ok(findings)
    }

    /// What a server with these settings would make of a token. Changes nothing; a server may be running with them.
    ///
    /// # Errors
    /// A key that cannot be read, in words.
    pub async fn inspect_token(config: &Config, token: &str) -> Result<Inspection, StartError> {
        let clock = Clock::System;
        let authenticator =
            Authenticator::existing(config, clock.clone()).map_err(StartError::Keys)?;
        let mut inspection = authenticator.inspect(token);
        let Some(identity) = &inspection.identity else {
            return Ok(inspection);
        };
        let (tenant, user) = (&identity.tenant, &identity.user_id);
        let stored = Store::look_up(config, tenant, user, identity.session, clock.now()).await;
        let unknown = |why: &str| Ok(format!("not known whether it was revoked: {why}"));
        let access = match stored {
            Err(error) => unknown(&error.to_string()),
            Ok(None) => unknown("there is no database of this release yet"),
            Ok(Some(_))
                if identity.session.is_some() && config.effective_accounts() == Accounts::Off =>
            {
                Err(Error::AccessDenied("There are no accounts here"))
            }
            Ok(Some(stored)) => still_has_access(identity, &stored),
        };
        inspection.access(access);
        Ok(inspection)
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
        let rotating = tokio::spawn(reload_keys(Arc::clone(&self.gateway)));
        let serving = gateway::serve(Arc::clone(&self.gateway), self.listener, router);
        tokio::select! {
            () = serving => {}
            () = async {
                shutdown.await;
                self.gateway.drain().await;
            } => {}
        }
        sweeping.abort();
        rotating.abort();
        let end = async {
            self.gateway.chat.audit.flush().await;
            self.store.close().await;
            // It ends with the writer.
            self.publisher.await
        };
        // A database that says nothing must not keep the process: whoever stops it would kill it.
        if timeout(AT_THE_END, end).await.is_err() {
            tracing::warn!(
                "not everything was stored and delivered in time: it was not acknowledged, or clients find it when they return"
            );
        }
        self.gateway.chat.leave_others().await;
        tracing::info!("stopped");
    }
}

/// What the database says of somebody's access.
fn still_has_access(identity: &Identity, stored: &StoredAccess) -> Result<String, Error> {
    if identity.session.is_some() && !stored.has_session {
        return Err(SESSION_ENDED);
    }
    let Some(user) = &stored.user else {
        return Ok("a user who has not come before".to_owned());
    };
    has_access(identity, user)?;
    let version = user.token_version;
    Ok(format!(
        "not revoked: the user's version is {version}, and they are not disabled"
    ))
}

async fn sweep(gateway: Arc<Gateway>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        gateway.chat.limits.sweep();
        telemetry::metrics().run_upkeep();
    }
}

async fn reload_keys(gateway: Arc<Gateway>) {
    while gateway.authenticator.has_files() {
        tokio::time::sleep(KEYS).await;
        let gateway = Arc::clone(&gateway);
        // A file may be on a disk that is far away.
        let read = tokio::task::spawn_blocking(move || gateway.authenticator.reload());
        if read.await.is_err() {
            return;
        }
    }
}
