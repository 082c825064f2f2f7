//! What happens before the first call: settings, the log, the sandbox, and what has to be said at every start.

use crate::clusters::Clusters;
use crate::engine::Engine;
use crate::settings::{BadSettings, Flags, Layers, Loaded, Settings, Trust, layers};
use crate::tool::Tier;
use std::sync::Arc;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What a start made. Ends the sandbox, if there is one, when it is dropped.
pub struct Started {
    pub clusters: Clusters,
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

/// Makes an engine for each cluster, from flags, variables and the config file. `quiet`: only warnings, for a person who
/// wants one answer.
///
/// # Errors
/// A setting is missing or wrong, or the sandbox could not start.
pub async fn start(flags: &Flags, quiet: bool) -> Result<Started, NotStarted> {
    let layers = Layers::read(flags, &layers::process)?;
    #[cfg(feature = "sandbox")]
    if flags.sandbox {
        let options = proxmox_sandbox::Options { task_time: TASK_TIME, ..proxmox_sandbox::Options::default() };
        let sandbox = proxmox_sandbox::Sandbox::start(options).await?;
        let top = layers.top();
        let (token, pin) = (sandbox.token(), sandbox.certificate_fingerprint());
        let settings = Settings::sandbox(sandbox.address(), token, pin, &top.flags()).map_err(|bad| top.placed(bad))?;
        let loaded = Loaded { clusters: vec![settings], default: None, notices: layers.notices() };
        return Ok(Started { clusters: clusters(loaded, flags, quiet)?, _sandbox: Some(sandbox) });
    }
    #[cfg(not(feature = "sandbox"))]
    if flags.sandbox {
        return Err(NotStarted::NoSandbox);
    }
    Ok(Started {
        clusters: clusters(layers.load()?, flags, quiet)?,
        #[cfg(feature = "sandbox")]
        _sandbox: None,
    })
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

/// Sets up the log, says what has to be said, and makes the engines. Connects to nothing.
fn clusters(loaded: Loaded, flags: &Flags, quiet: bool) -> Result<Clusters, NotStarted> {
    let Loaded { clusters, default, notices } = loaded;
    let Some(log_level) = clusters.first().map(|first| first.log_level.clone()) else {
        return Err(NotStarted::Settings(BadSettings::Contradiction("there is no cluster".to_owned())));
    };
    let level: LevelFilter = log_level.parse().map_err(|_| NotStarted::LogLevel(log_level.clone()))?;
    // A level that was asked for holds; the usual one would put a log around a single answer.
    let level = if quiet && flags.log_level.is_none() { level.min(LevelFilter::WARN) } else { level };
    // What the embedded cluster is asked is of interest to somebody who looks for a mistake.
    log_to_stderr(level, if level >= LevelFilter::DEBUG { level } else { level.min(LevelFilter::WARN) });
    notices.iter().for_each(|(warning, text)| say(*warning, text));
    // What all have to say is said once.
    let shared = |notice: &(bool, String)| clusters.iter().all(|one| one.notices.contains(notice));
    let first = clusters.first().map(|first| first.notices.as_slice()).unwrap_or_default();
    first.iter().filter(|notice| shared(notice)).for_each(|(warning, text)| say(*warning, text));
    for settings in &clusters {
        let own = settings.notices.iter().filter(|notice| !shared(notice));
        own.for_each(|(warning, text)| say(*warning, &format!("Cluster `{}`: {text}", settings.name)));
        announce(settings);
    }
    let mut engines = Vec::new();
    for settings in clusters {
        let engine = Engine::new(settings);
        engine.open_audit().map_err(|failure| NotStarted::Audit(failure.to_string()))?;
        engines.push(Arc::new(engine));
    }
    let first = engines.remove(0);
    Ok(Clusters::several(first, engines, default))
}

fn say(warning: bool, text: &str) {
    if warning { tracing::warn!("{text}") } else { tracing::info!("{text}") }
}

/// Which cluster this is, and what may be done there.
fn announce(settings: &Settings) {
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
        name = settings.among_several.then_some(settings.name.as_str()),
        cluster = %if settings.sandbox { "sandbox".to_owned() } else { settings.origin() },
        certificate = match settings.trust {
            Trust::System => "checked against the system's roots",
            Trust::CaFile(_) => "checked against PROXMOX_CA_FILE",
            Trust::Fingerprints(_) => "pinned",
            Trust::Anything => "NOT CHECKED",
        },
        "start"
    );
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
    let _ = tracing_subscriber::registry().with(lines.with_filter(targets)).with(crate::traces::layer()).try_init();
}
