//! The command line.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::{Parser, Subcommand};
use confab::{
    app::Server,
    auth::{Authenticator, Identity},
    clock::Clock,
    config::{Config, Problems},
    doctor, telemetry,
};
use entity::ids::{ExternalId, TenantId, UserId};
use tokio::{runtime::Runtime, signal::unix};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A chat server for the socket.io-client frontends that you have.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Settings: confab.toml and CONFAB_*, see `confab settings`."
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server (also without a command).
    Serve,
    /// Prints an access token, signed with this server's secret; or looks at one.
    Token(TokenArguments),
    /// Brings the database up to date and stops.
    Migrate,
    /// Says what is wrong with the settings, and opens what they name.
    Check,
    /// Connects through an address as clients do, and says what is wrong on the way: load balancer, nodes, token.
    Doctor(DoctorArguments),
    /// Prints every setting with its default and what it is for.
    Settings,
}

#[derive(clap::Args)]
struct DoctorArguments {
    /// Where clients connect, as in https://chat.example.com.
    #[arg(long)]
    url: String,
    /// The token of a user, who comes in for a moment; `-` reads it from standard input.
    #[arg(long)]
    token: Option<String>,
    /// The origin of the pages that are to connect, as in https://app.example.com.
    #[arg(long)]
    origin: Option<String>,
    /// Seconds for which silent connections are watched.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=600))]
    wait: u64,
}

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct TokenArguments {
    #[command(subcommand)]
    command: Option<TokenCommand>,
    /// The user's id: digits are a number, `"7"` in quotes is a text, and so is everything else.
    #[arg(long, required = true)]
    user_id: Option<String>,
    /// The name that others see; the id if none is given.
    #[arg(long)]
    username: Option<String>,
    #[arg(long, default_value = "default")]
    tenant: String,
    /// Whether the user is of the tenant's staff.
    #[arg(long)]
    staff: bool,
    /// Seconds until the token ends.
    #[arg(long, default_value_t = 6 * 3600)]
    ttl_seconds: i64,
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Says whether this server takes a token, as whom, and if not, why. A server may be running.
    Inspect {
        /// The token, or `-` to read it from standard input, where it does not show in the list of processes.
        token: String,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command.unwrap_or(Command::Serve) {
        Command::Settings => say(confab::config::DEFAULTS.trim_end()),
        Command::Doctor(arguments) => doctor(arguments),
        command => Config::load()
            .map_err(|problems| list(&problems))
            .and_then(|config| match command {
                Command::Token(TokenArguments {
                    command: Some(TokenCommand::Inspect { token }),
                    ..
                }) => inspect(&config, token),
                Command::Token(arguments) => token(&config, &arguments),
                Command::Migrate => migrate(&config),
                Command::Check => check(&config),
                Command::Serve | Command::Settings | Command::Doctor(_) => serve(config),
            }),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing can be done about a closed stderr.
            drop(writeln!(io::stderr(), "confab: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) -> Result<(), String> {
    writeln!(io::stdout(), "{text}").map_err(|error| error.to_string())
}

fn list(problems: &Problems) -> String {
    format!("the settings are wrong:\n  - {}", problems.0.join("\n  - "))
}

fn runtime() -> Result<Runtime, String> {
    Runtime::new().map_err(|error| error.to_string())
}

fn migrate(config: &Config) -> Result<(), String> {
    telemetry::init_log(config);
    runtime()?
        .block_on(Server::migrate(config))
        .map_err(|error| error.to_string())?;
    say("the database is up to date")
}

fn check(config: &Config) -> Result<(), String> {
    let findings = runtime()?
        .block_on(Server::check(config))
        .map_err(|error| error.to_string())?;
    say(&format!(
        "the settings are fine\n  - {}",
        findings.join("\n  - ")
    ))
}

fn serve(config: Config) -> Result<(), String> {
    telemetry::init_log(&config);
    for name in confab::config::unknown_variables() {
        tracing::warn!(name, "no setting is called so");
    }
    runtime()?.block_on(async {
        let mut terminate =
            unix::signal(unix::SignalKind::terminate()).map_err(|error| error.to_string())?;
        let mut interrupt =
            unix::signal(unix::SignalKind::interrupt()).map_err(|error| error.to_string())?;
        let server = Server::bind(config, Clock::System)
            .await
            .map_err(|error| error.to_string())?;
        server
            .run(async {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            })
            .await;
        Ok(())
    })
}

fn doctor(arguments: DoctorArguments) -> Result<(), String> {
    let options = doctor::Options {
        url: arguments.url,
        token: arguments.token.map(given).transpose()?,
        origin: arguments.origin,
        wait: Duration::from_secs(arguments.wait),
    };
    let report = runtime()?.block_on(doctor::examine(&options))?;
    say(&report.to_string())?;
    match report.problems() {
        0 => Ok(()),
        1 => Err("there is a problem".to_owned()),
        problems => Err(format!("there are {problems} problems")),
    }
}

/// A token of the command line, or of standard input.
fn given(token: String) -> Result<String, String> {
    if token != "-" {
        return Ok(token);
    }
    let token = io::read_to_string(io::stdin()).map_err(|error| error.to_string())?;
    Ok(token.trim().to_owned())
}

fn inspect(config: &Config, token: String) -> Result<(), String> {
    let token = given(token)?;
    let inspection = runtime()?
        .block_on(Server::inspect_token(config, &token))
        .map_err(|error| error.to_string())?;
    say(&inspection.to_string())?;
    match inspection.refusal() {
        None => Ok(()),
        Some(why) => Err(why.to_owned()),
    }
}

fn token(config: &Config, arguments: &TokenArguments) -> Result<(), String> {
    let user_id = arguments.user_id.clone().unwrap_or_default();
    let id = match serde_json::from_str(&user_id) {
        Ok(id @ (serde_json::Value::Number(_) | serde_json::Value::String(_))) => id,
        _ => user_id.into(),
    };
    let user_id = ExternalId::from_json(&id).map_err(|error| format!("--user-id: {error}"))?;
    let identity = Identity {
        tenant: TenantId::new(&arguments.tenant).map_err(|error| format!("--tenant: {error}"))?,
        username: Arc::from(
            arguments
                .username
                .clone()
                .unwrap_or_else(|| user_id.label()),
        ),
        user_id: UserId(user_id),
        is_guest: false,
        is_staff: arguments.staff,
        expires_at: None,
        session: None,
        former_guests: Arc::default(),
        token_version: 0,
    };
    say(&Authenticator::new(config, Clock::System)?.sign(&identity, arguments.ttl_seconds)?)
}
