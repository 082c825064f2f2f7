//! What happens before the first call: settings, the log, the sandbox, and what has to be said at every start.

use crate::engine::Engine;
use crate::settings::{BadSettings, Flags, Settings, Trust};
use crate::tool::Tier;
use std::sync::Arc;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What a start made. Ends the sandbox, if there is one, when it is dropped.
pub struct Started {
    pub engine: Arc<Engine>,
    #[cfg(feature = "sandbox")]
    _sandbox: Option<proxmox_sandbox::Sandbox>,
}

/// How long the sandbox's tasks take: long enough to be seen running, short enough that nobody waits for a game. A
/// backup is over after some five polls.
#[cfg(feature = "sandbox")]
pub(super) const TASK_TIME: f64 = 0.4;

/// Why nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    #[error(transparent)]
    Settings(#[from] BadSettings),
    #[error("{0}")]
    Audit(String),
    #[error("LOG_LEVEL (--log-level) is `{0}`: give one of off, error, warn, info, debug, trace")]
    LogLevel(String),
    #[cfg(feature = "sandbox")]
    #[error("the sandbox could not start: {0}")]
    Sandbox(#[from] std::io::Error),
    #[cfg(not(feature = "sandbox"))]
    #[error("this program was built without the sandbox (cargo feature `sandbox`)")]
    NoSandbox,
}

/// Makes an engine from flags and environment. `quiet`: only warnings, for a person who wants one answer.
///
/// # Errors
/// A setting is missing or wrong, or the sandbox could not start.
pub async fn start(flags: &Flags, quiet: bool) -> Result<Started, NotStarted> {
    #[cfg(feature = "sandbox")]
    {
        let sandbox = if flags.sandbox {
            let options = proxmox_sandbox::Options { task_time: TASK_TIME, ..proxmox_sandbox::Options::default() };
            Some(proxmox_sandbox::Sandbox::start(options).await?)
        } else {
            None
        };
        let settings = match &sandbox {
            Some(sandbox) => {
                Settings::sandbox(sandbox.address(), sandbox.token(), sandbox.certificate_fingerprint(), flags)?
            }
            None => Settings::load(flags)?,
        };
        Ok(Started { engine: engine(settings, flags, quiet)?, _sandbox: sandbox })
    }
    #[cfg(not(feature = "sandbox"))]
    {
        if flags.sandbox {
            return Err(NotStarted::NoSandbox);
        }
        Ok(Started { engine: engine(Settings::load(flags)?, flags, quiet)? })
    }
}

/// Sets up the log of `proxmox-mcp sandbox`, which tells every request.
///
/// # Errors
/// The level is none.
#[cfg(feature = "sandbox")]
pub fn log_requests(flags: &Flags) -> Result<(), NotStarted> {
    let text = flags.log_level.as_deref().filter(|text| !text.is_empty()).unwrap_or("info");
    let level = text.to_lowercase().parse().map_err(|_| NotStarted::LogLevel(text.to_owned()))?;
    log_to_stderr(level, level);
    Ok(())
}

fn engine(settings: Settings, flags: &Flags, quiet: bool) -> Result<Arc<Engine>, NotStarted> {
    let level: LevelFilter =
        settings.log_level.parse().map_err(|_| NotStarted::LogLevel(settings.log_level.clone()))?;
    // A level that was asked for holds; the usual one would put a log around a single answer.
    let level = if quiet && flags.log_level.is_none() { level.min(LevelFilter::WARN) } else { level };
    // What the embedded cluster is asked is of interest to somebody who looks for a mistake.
    log_to_stderr(level, if level >= LevelFilter::DEBUG { level } else { level.min(LevelFilter::WARN) });
    for (warning, text) in &settings.notices {
        if *warning { tracing::warn!("{text}") } else { tracing::info!("{text}") }
    }
    if settings.tier == Tier::Admin && settings.allow.is_empty() && settings.deny.is_empty() {
        tracing::warn!(
            "tier `admin` without --allow or --deny: everything may be done, including deleting, and running commands \
             in guests. A lower tier with --allow for single tools is safer."
        );
    }
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        tier = %settings.tier,
        dialect = settings.dialect.unwrap_or("none"),
        cluster = %if settings.sandbox { "sandbox".to_owned() } else { settings.origin() },
        certificate = match settings.trust {
            Trust::System => "checked against the system's roots",
            Trust::CaFile(_) => "checked against PROXMOX_CA_FILE",
            Trust::Fingerprints(_) => "pinned",
            Trust::Anything => "NOT CHECKED",
        },
        "start"
    );
    let engine = Engine::new(settings);
    engine.open_audit().map_err(|failure| NotStarted::Audit(failure.to_string()))?;
    Ok(Arc::new(engine))
}

/// Standard output belongs to the protocol, so the log goes to standard error. Libraries only warn, whatever the level:
/// at `debug` the SDK would write every argument, passwords included.
fn log_to_stderr(level: LevelFilter, sandbox: LevelFilter) {
    use std::io::IsTerminal;
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("proxmox_mcp", level)
        .with_target("proxmox_sandbox", sandbox);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    // Fails only when a log is set up already, which then stays.
    let _ = tracing_subscriber::registry().with(lines).with(targets).try_init();
}
