//! What the audit log is told of a call: which arguments, which request, who allowed it, and how it ended.
//!
//! Knows calls and what of them is secret; how a line is written is the log's business. A change that cannot be written
//! down is not sent.

use super::call::Call;
use super::clean;
use super::consent::Agreed;
use super::failure::{Failure, FailureKind};
use super::judge::Judged;
use super::planned;
use super::secrets::Secrets;
use super::{Answer, Engine, Watch};
use crate::arguments::same_name;
use crate::audit::{Audit, AuditError, Sending};
use crate::client::Trouble;
use crate::plan::{Plan, Value as Wire};
use crate::settings::Settings;
use crate::tool::Surface;
use serde_json::{Map, Value, json};

/// Longest text of an argument that is written down whole, in bytes.
const LONGEST: usize = 4096;
/// Longest text of an error, in characters.
const ERROR: usize = 1000;
/// In the place of a secret.
const HIDDEN: &str = "***";

impl Engine {
    /// Opens the audit log, so that a log that cannot be written is told at the start; without a setting, nothing.
    ///
    /// # Errors
    /// It cannot be opened or written.
    pub fn open_audit(&self) -> Result<(), Failure> {
        self.audit().map(|_| ())
    }

    /// The log, if there is to be one.
    fn audit(&self) -> Result<Option<&Audit>, Failure> {
        let Some(to) = &self.settings.audit else { return Ok(None) };
        let opened =
            self.shared.audit.get_or_init(|| Audit::open(to, about(&self.settings)).map_err(|error| error.to_string()));
        opened.as_ref().map(Some).map_err(|error| unwritten(error))
    }
}

/// Writes that this change is about to be sent; `agreed` says how it came to be allowed.
///
/// # Errors
/// It could not be written, so it must not be sent.
pub fn sending<'e>(call: &Call<'e>, judged: &Judged<'_>, agreed: &Agreed) -> Result<Option<Sending<'e>>, Failure> {
    let Some(audit) = call.engine.audit()? else { return Ok(None) };
    let request = &judged.resolved.request;
    let secret: Vec<String> =
        request.params.iter().filter(|param| param.secret).map(|param| param.name.clone().into_owned()).collect();
    let mut fields = called(call.engine, call.surface, call.given, call.watch, &call.secrets(), &secret);
    fields.insert("tier".to_owned(), json!(judged.need.tier.as_str()));
    fields.insert("effect".to_owned(), json!(judged.need.effect.as_str()));
    fields.insert("allowed".to_owned(), json!(allowed(call)));
    fields.insert("affects".to_owned(), judged.objects.json());
    fields.insert("confirmed".to_owned(), json!(agreed.as_str()));
    if let Agreed::Approved(code) = agreed {
        fields.insert("code".to_owned(), json!(code));
    }
    fields.insert("request".to_owned(), planned::request(request));
    let secrets = call.secrets();
    fields.values_mut().for_each(|value| secrets.hide_within(value));
    let sending = audit.sending(call.surface.name, fields);
    sending.map(Some).map_err(|error| unwritten(&error.to_string()))
}

/// Writes how it ended: with an answer, or with the rejection of the request.
pub fn ended(call: &Call<'_>, sending: Option<Sending<'_>>, end: Result<&mut Answer, &Trouble>) {
    let Some(sending) = sending else { return };
    let text = |text: &str| json!(clean::line(&call.secrets().hide(text.to_owned()), ERROR));
    let mut fields = Map::new();
    let (content, note) = match end {
        Ok(answer) => {
            for field in ["outcome", "upid", "exitstatus"] {
                if let Some(value) = answer.content.get(field) {
                    fields.insert(field.to_owned(), value.clone());
                }
            }
            if let Some(error) = &answer.text {
                fields.insert("error".to_owned(), text(error));
            }
            (Some(&mut answer.content), true)
        }
        Err(trouble) => {
            fields.insert("outcome".to_owned(), json!("rejected"));
            fields.insert("error".to_owned(), text(&trouble.to_string()));
            (None, false)
        }
    };
    if let Err(error) = sending.ended(fields) {
        tracing::error!("{error}");
        if let (Some(content), true) = (content, note) {
            super::note(content, format!("It was carried out, but {error}: its end stands nowhere."));
        }
    }
}

/// Writes that a call was refused. The refusal stands whether it could be written or not.
pub fn refused(
    engine: &Engine,
    surface: &'static Surface,
    given: Option<&Map<String, Value>>,
    watch: &Watch,
    plan: Option<&Plan>,
    failure: &Failure,
) {
    let audit = match engine.audit() {
        Ok(Some(audit)) => audit,
        Ok(None) => return,
        Err(error) => {
            tracing::error!("{error}");
            return;
        }
    };
    let (names, values) = plan.map(secret).unwrap_or_default();
    let secrets = Secrets::new(values.into_iter().chain(engine.known_secrets()));
    // Without a plan nobody knows what of the arguments is secret.
    let mut fields = called(engine, surface, given.filter(|_| plan.is_some()), watch, &secrets, &names);
    let by = match failure.kind() {
        FailureKind::Unconfirmed => "confirmation",
        FailureKind::Fenced => "fences",
        _ => "tier",
    };
    fields.insert("by".to_owned(), json!(by));
    fields.insert("why".to_owned(), json!(clean::line(&secrets.hide(failure.to_string()), ERROR)));
    if let Err(error) = audit.refused(fields) {
        tracing::error!("{error}");
    }
}

/// Who called what, with the secrets left out.
fn called(
    engine: &Engine,
    surface: &'static Surface,
    given: Option<&Map<String, Value>>,
    watch: &Watch,
    secrets: &Secrets,
    names: &[String],
) -> Map<String, Value> {
    let mut fields = Map::new();
    if engine.settings.among_several {
        fields.insert("cluster".to_owned(), json!(engine.settings.name));
    }
    if let Some(client) = &watch.client {
        fields.insert("client".to_owned(), json!(clean::line(client, 100)));
    }
    if let Some(caller) = &watch.caller {
        fields.insert("caller".to_owned(), json!(clean::line(caller, 100)));
    }
    fields.insert("tool".to_owned(), json!(surface.name));
    if let Some(given) = given {
        let own = surface.tool.arguments.iter().filter(|argument| argument.secret).map(|argument| argument.name);
        let dialect = |name: &str| surface.rename.iter().find(|(_, own)| *own == name).map(|(theirs, _)| *theirs);
        let own: Vec<&str> = own.flat_map(|name| [Some(name), dialect(name)]).flatten().collect();
        let is_secret = |name: &str| {
            own.iter().copied().chain(names.iter().map(String::as_str)).any(|secret| same_name(secret, name))
        };
        let mut given = Value::Object(given.clone());
        redact(&mut given, &is_secret);
        secrets.hide_within(&mut given);
        fields.insert("arguments".to_owned(), given);
    }
    fields
}

/// Replaces what stands under a secret's name, and cuts long texts.
fn redact(value: &mut Value, is_secret: &impl Fn(&str) -> bool) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_secret(name) {
                    *value = json!(HIDDEN);
                } else {
                    redact(value, is_secret);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, is_secret)),
        Value::String(text) if text.len() > LONGEST => {
            let (cut, left_out) = clean::capped(text, LONGEST);
            *text = format!("{cut}… ({left_out} bytes more)");
        }
        _ => {}
    }
}

/// Names and values of a plan's secret parameters.
fn secret(plan: &Plan) -> (Vec<String>, Vec<String>) {
    let params = plan.routes.iter().flat_map(|route| &route.request.params).filter(|param| param.secret);
    let values = |value: &Wire| match value {
        Wire::Text(text) => vec![text.clone()],
        Wire::List(texts) => texts.clone(),
        Wire::Open(_) => Vec::new(),
    };
    params.map(|param| (param.name.clone().into_owned(), values(&param.value))).fold(
        (Vec::new(), Vec::new()),
        |(mut names, mut all), (name, values)| {
            names.push(name);
            all.extend(values);
            (names, all)
        },
    )
}

/// By which setting the call was allowed.
fn allowed(call: &Call<'_>) -> String {
    let access = call.engine.access();
    if call.surface.tool.tier > access.tier {
        format!("--allow {}", call.surface.tool.name)
    } else {
        format!("tier {}", access.tier)
    }
}

/// What the first line says of this process.
fn about(settings: &Settings) -> Map<String, Value> {
    let cluster = if settings.sandbox { "sandbox".to_owned() } else { settings.origin() };
    Map::from_iter([
        ("version".to_owned(), json!(env!("CARGO_PKG_VERSION"))),
        ("pid".to_owned(), json!(std::process::id())),
        ("name".to_owned(), json!(settings.name)),
        ("cluster".to_owned(), json!(cluster)),
        ("token".to_owned(), json!(settings.auth.id())),
        ("tier".to_owned(), json!(settings.tier.as_str())),
        ("allow".to_owned(), json!(settings.allow)),
        ("deny".to_owned(), json!(settings.deny)),
        ("confirm".to_owned(), json!(settings.confirm.as_str())),
        ("fences".to_owned(), json!(settings.fences_shown())),
    ])
}

fn unwritten(error: &str) -> Failure {
    Failure::new(
        FailureKind::Local,
        format!(
            "{error}. What is not written down is not sent, so nothing was. Whoever runs the server can put the file \
             right, or name another one with PROXMOX_AUDIT (--audit)."
        ),
    )
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Failure {
        unwritten(&error.to_string())
    }
}
