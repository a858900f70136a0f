//! PostgreSQL for tests: a throw-away server that these tests start and that ends with them, or the one that
//! `CONFAB_TEST_POSTGRES` names (`postgres://user:password@host:port`); a database of its own for each who asks.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use sea_orm::sqlx::{self, AssertSqlSafe, Connection, PgConnection, Row};

/// Makes a cluster, runs it, and ends when its standard input does: with the tests, however they end.
const SCRIPT: &str = r#"
set -e
folder=$(mktemp -d)
"$1/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
printf 'host all guarded 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n' > "$folder/data/pg_hba.conf"
"$1/postgres" -D "$folder/data" -p "$2" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c fsync=off -c max_connections=300 -c log_destination=stderr >"$folder/log" 2>&1 &
server=$!
trap 'kill -INT $server; wait $server; rm -rf "$folder"' EXIT
until grep -q 'ready to accept connections' "$folder/log"; do kill -0 $server; sleep 0.05; done
echo ready
cat >/dev/null
"#;

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

struct Server {
    /// Without a database.
    url: String,
    /// Its standard input ends with this process, and it with that.
    _process: Option<Child>,
}

impl Server {
    fn start() -> Self {
        if let Ok(url) = env::var("CONFAB_TEST_POSTGRES") {
            let url = url.trim_end_matches('/').to_owned();
            return Self {
                url,
                _process: None,
            };
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut command = as_somebody();
        command.args(["sh", "-c", SCRIPT, "postgres"]);
        command.arg(binaries()).arg(port.to_string());
        let mut process = command
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut ready).unwrap();
        assert_eq!(ready, "ready\n", "PostgreSQL does not start");
        Self {
            url: format!("postgres://postgres@127.0.0.1:{port}"),
            _process: Some(process),
        }
    }
}

/// PostgreSQL refuses to run as root.
fn as_somebody() -> Command {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout.trim_ascii() != b"0" {
        return Command::new("env");
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--", "env"]);
    command
}

/// Where `initdb` is: in the path, or where Debian and others put it, the newest one.
fn binaries() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(String::from_utf8(output.stdout).unwrap().trim().into());
    }
    for root in ["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt"] {
        let mut versions: Vec<PathBuf> = fs::read_dir(root)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path().join("bin"))
            .collect();
        versions.sort();
        folders.extend(versions.into_iter().rev());
    }
    // A path may hold links: where they lead to is all that belongs together.
    let initdb = folders
        .into_iter()
        .find_map(|folder| fs::canonicalize(folder.join("initdb")).ok());
    let Some(initdb) = initdb else {
        panic!("PostgreSQL is not installed, and CONFAB_TEST_POSTGRES names none");
    };
    initdb.parent().unwrap().to_owned()
}

/// A database that is made for a test.
#[derive(Clone)]
pub struct Database {
    pub url: String,
}

impl Database {
    pub async fn new() -> Self {
        Self::made_with("").await
    }

    /// With options for `CREATE DATABASE`.
    pub async fn made_with(options: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // The server may take its time.
        let server = tokio::task::spawn_blocking(|| &*SERVER).await.unwrap();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("confab_test_{}_{number}", std::process::id());
        let all = Self {
            url: format!("{}/postgres", server.url),
        };
        all.execute(&format!("CREATE DATABASE {name} {options}"))
            .await;
        Self {
            url: format!("{}/{name}", server.url),
        }
    }

    /// For those who are not asynchronous.
    pub fn blocking() -> Self {
        let made = thread::spawn(|| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(Self::new())
        });
        made.join().unwrap()
    }

    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }

    pub async fn execute(&self, sql: &str) {
        let mut connection = self.connect().await;
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
            .unwrap();
    }

    /// The first column of all rows.
    pub async fn ask<T>(&self, sql: &str) -> Vec<T>
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        let mut connection = self.connect().await;
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Waits until a query finds something.
    pub async fn wait_for(&self, sql: &str) {
        let found = async {
            while self.ask::<i32>(sql).await.is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let patience = Duration::from_secs(20);
        let waited = tokio::time::timeout(patience, found).await;
        waited.unwrap_or_else(|_| panic!("not found in {patience:?}: {sql}"));
    }

    /// The address of the server.
    pub fn address(&self) -> String {
        let at = self.url.rsplit('@').next().unwrap();
        at.split('/').next().unwrap().to_owned()
    }

    /// The same database by another address.
    pub fn through(&self, address: &str) -> Self {
        Self {
            url: self.url.replace(&self.address(), address),
        }
    }
}

/// The database of a folder, if the tests are to run on PostgreSQL (`CONFAB_TEST_DATABASE=postgres`).
pub fn instead_of(folder: &Path) -> Option<String> {
    if env::var("CONFAB_TEST_DATABASE").is_ok_and(|name| name == "postgres") {
        let file = folder.join("database-url");
        if !file.exists() {
            fs::write(&file, Database::blocking().url).unwrap();
        }
        return Some(fs::read_to_string(file).unwrap());
    }
    None
}
