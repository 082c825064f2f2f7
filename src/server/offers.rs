//! Resources, prompts and completions in the protocol's words.
//!
//! Knows messages and their errors. What is offered, and what a call may do, is decided elsewhere: a resource is a tool's
//! answer and goes the same road.

use super::{LIST_TTL_MS, Server};
use crate::catalogue;
use crate::clusters::ARGUMENT;
use crate::engine::{Engine, Failure, FailureKind, Watch, clean};
use crate::offers::{self, Offer, Prompt, Resource, Unusable};
use rmcp::model::{
    ArgumentInfo, CacheScope, CompleteRequestParams, CompleteResult, CompletionInfo, GetPromptRequestParams,
    GetPromptResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, PaginatedRequestParams,
    PromptArgument, PromptMessage, ReadResourceResult, Reference, ResourceContents, Role,
};
use rmcp::{ErrorData, model};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// What every resource is.
const MIME: &str = "application/json";

impl Server {
    /// What is offered on each cluster.
    fn offers(&self) -> impl Iterator<Item = Offer<'_>> {
        self.clusters.all().map(|engine| self.offer(engine))
    }

    fn offer<'e>(&self, engine: &'e Engine) -> Offer<'e> {
        Offer::on(engine, self.clusters.several_to_choose())
    }

    pub(super) fn resources(&self, page: Option<PaginatedRequestParams>) -> Result<ListResourcesResult, ErrorData> {
        one_page(page, "resources/list")?;
        let each = self.offers().flat_map(|offer| offer.resources(false).map(move |one| (offer.cluster, one)));
        let list = each.map(|(cluster, one)| {
            let (uri, title) = match cluster {
                Some(name) => (offers::within(one.uri, name), format!("{} ({name})", one.title)),
                None => (one.uri.to_owned(), one.title.to_owned()),
            };
            let name = cluster.map_or_else(|| one.name.to_owned(), |name| format!("{name}/{}", one.name));
            model::Resource::new(uri, name).with_title(title).with_description(one.doc).with_mime_type(MIME)
        });
        let list = ListResourcesResult::with_all_items(list.collect());
        Ok(list.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private))
    }

    pub(super) fn templates(
        &self,
        page: Option<PaginatedRequestParams>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        one_page(page, "resources/templates/list")?;
        let list = self.all_templates().map(|one| {
            model::ResourceTemplate::new(self.template_uri(one), one.name)
                .with_title(one.title)
                .with_description(one.doc)
                .with_mime_type(MIME)
        });
        let list = ListResourceTemplatesResult::with_all_items(list.collect());
        Ok(list.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private))
    }

    /// The templates that some cluster offers, in catalogue order.
    fn all_templates(&self) -> impl Iterator<Item = &'static Resource> {
        let offered = |one: &&'static Resource| {
            self.offers().any(|offer| offer.resources(true).any(|other| std::ptr::eq(*one, other)))
        };
        catalogue::RESOURCES.iter().filter(offered)
    }

    /// Where there are several clusters, a URI names one.
    fn template_uri(&self, one: &Resource) -> String {
        match self.clusters.several_to_choose() {
            true => offers::within(one.uri, offers::CLUSTER),
            false => one.uri.to_owned(),
        }
    }

    /// The cluster of a URI, and the URI as that cluster has it.
    fn place<'s>(&'s self, uri: &str) -> Option<(&'s Arc<Engine>, String)> {
        if !self.clusters.several_to_choose() {
            return Some((self.clusters.first(), uri.to_owned()));
        }
        let (name, rest) = offers::apart(uri)?;
        Some((self.clusters.named(name)?, rest))
    }

    /// Reads a resource: calls its tool, with every gate of a call.
    pub(super) async fn read(&self, uri: String, watch: Watch) -> Result<ReadResourceResult, ErrorData> {
        let place = self.place(&uri);
        let found = match &place {
            Some((engine, plain)) => self.offer(engine).resource(plain).map(|found| (Arc::clone(engine), found)),
            None => Err(Unusable::Unknown),
        };
        let (engine, (surface, arguments)) = found.map_err(|unusable| {
            let clusters = match place {
                Some(_) => String::new(),
                None => {
                    let names: Vec<&str> = self.clusters.names().collect();
                    format!(" A URI begins with proxmox:// and one of the clusters {}.", names.join(", "))
                }
            };
            let says = format!(
                "{unusable}: {}. resources/list and resources/templates/list say what there is.{clusters}",
                clean::line(&uri, 200)
            );
            ErrorData::resource_not_found(says, Some(json!({ "uri": clean::line(&uri, 200) })))
        })?;
        let started = Instant::now();
        let cluster = engine.settings().name.clone();
        let ended = self.guarded(surface, async move { engine.call(surface, Some(&arguments), watch).await }).await;
        self.log(surface, Some(&cluster), &ended, started);
        let answer = ended.map_err(|failure| unread(&failure, &uri))?;
        let text = Value::Object(answer.content).to_string();
        let contents = ResourceContents::text(text, uri).with_mime_type(MIME);
        // What it says is of this moment, and of what this token may see.
        Ok(ReadResourceResult::new(vec![contents]).with_ttl_ms(0).with_cache_scope(CacheScope::Private))
    }

    pub(super) fn prompts(&self, page: Option<PaginatedRequestParams>) -> Result<ListPromptsResult, ErrorData> {
        one_page(page, "prompts/list")?;
        let list = self.all_prompts().map(|one| {
            let arguments = one.args.iter().map(|argument| {
                PromptArgument::new(argument.name).with_description(argument.doc).with_required(argument.required)
            });
            let names: Vec<&str> = self.clusters.names().filter(|_| self.clusters.several_to_choose()).collect();
            let cluster = (!names.is_empty()).then(|| {
                PromptArgument::new(ARGUMENT)
                    .with_description(format!("The cluster: one of {}.", names.join(", ")))
                    .with_required(self.clusters.default().is_none())
            });
            let arguments: Vec<PromptArgument> = cluster.into_iter().chain(arguments).collect();
            let arguments = (!arguments.is_empty()).then_some(arguments);
            model::Prompt::new(one.name, Some(one.doc), arguments).with_title(one.title)
        });
        let list = ListPromptsResult::with_all_items(list.collect());
        Ok(list.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private))
    }

    pub(super) fn prompt(&self, request: &GetPromptRequestParams) -> Result<GetPromptResult, ErrorData> {
        let prompt = self.prompt_named(&request.name)?;
        let mut arguments = request.arguments.clone().unwrap_or_default();
        let wrong = |says: String| ErrorData::invalid_params(format!("prompt `{}`: {says}", prompt.name), None);
        let engine = self.clusters.choose(&mut arguments).map_err(|failure| wrong(failure.to_string()))?;
        let offer = self.offer(engine);
        if !offer.prompts().any(|one| std::ptr::eq(one, prompt)) {
            let says = format!("it needs tools that are not on offer on the cluster `{}`", engine.settings().name);
            return Err(wrong(says));
        }
        let written = offer.write(prompt, Some(&arguments)).map_err(|missing| wrong(missing.to_string()))?;
        tracing::info!(prompt = prompt.name, "prompt");
        let message = PromptMessage::new_text(Role::User, written.text);
        Ok(GetPromptResult::new(vec![message]).with_description(prompt.doc))
    }

    /// The values that fit what was typed so far.
    pub(super) async fn completed(
        &self,
        request: CompleteRequestParams,
        cancelled: CancellationToken,
    ) -> Result<CompleteResult, ErrorData> {
        let ArgumentInfo { name, value, .. } = &request.argument;
        let context: HashMap<String, String> =
            request.context.and_then(|context| context.arguments).unwrap_or_default();
        let several = self.clusters.several_to_choose();
        // (argument, kind) of everything that can be given there.
        let kinds: Vec<(&str, &str)> = match &request.r#ref {
            Reference::Prompt(prompt) => {
                let prompt = self.prompt_named(&prompt.name)?;
                let names = prompt.args.iter().map(|argument| argument.name);
                known_argument(name, names.chain(several.then_some(ARGUMENT)))?;
                prompt.args.iter().filter_map(|argument| Some((argument.name, argument.completes?))).collect()
            }
            Reference::Resource(resource) => {
                let resource = self.template_named(&resource.uri)?;
                known_argument(name, several.then_some(ARGUMENT).into_iter().chain(resource.places()))?;
                resource.places().map(|place| (place, place)).collect()
            }
            _ => return Err(ErrorData::invalid_params("there is nothing to complete for such a reference", None)),
        };
        let kind = kinds.iter().find(|(argument, _)| argument == name).map(|(_, kind)| *kind);
        let completion = kind.and_then(|kind| catalogue::COMPLETIONS.iter().find(|one| one.name == kind));
        let given = |kind: &str| {
            let others = kinds.iter().filter(|(argument, of)| *of == kind && argument != name);
            let mut texts = others.filter_map(|(argument, _)| context.get(*argument)).map(|text| text.trim());
            texts.find(|text| !text.is_empty()).map(str::to_owned)
        };
        // Names are of one cluster; without knowing which, there are none, so that nobody waits for one that is down.
        let named = context.get(ARGUMENT).map(String::as_str).or(self.clusters.default());
        let engine =
            if several { named.and_then(|name| self.clusters.named(name)) } else { Some(self.clusters.first()) };
        let all: Arc<[String]> = match (completion, engine) {
            _ if several && name == ARGUMENT => self.clusters.names().map(str::to_owned).collect(),
            (Some(completion), Some(engine)) => engine.names(completion, &given, &cancelled).await,
            _ => [].into(),
        };
        let offers::Found { values, total } = offers::found(&all, value);
        let more = total > values.len();
        let info = CompletionInfo::with_pagination(values, u32::try_from(total).ok(), more);
        info.map(CompleteResult::new).map_err(|error| ErrorData::internal_error(error, None))
    }

    /// The prompts that some cluster offers, in catalogue order.
    fn all_prompts(&self) -> impl Iterator<Item = &'static Prompt> {
        let offered =
            |one: &&'static Prompt| self.offers().any(|offer| offer.prompts().any(|other| std::ptr::eq(*one, other)));
        catalogue::PROMPTS.iter().filter(offered)
    }

    fn prompt_named(&self, name: &str) -> Result<&'static Prompt, ErrorData> {
        self.all_prompts().find(|prompt| prompt.name == name).ok_or_else(|| {
            let advice = match proxmox_spec::nearest(name, self.all_prompts().map(|prompt| prompt.name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "prompts/list has those on offer".to_owned(),
            };
            ErrorData::invalid_params(format!("there is no prompt `{}`; {advice}", clean::line(name, 80)), None)
        })
    }

    fn template_named(&self, uri: &str) -> Result<&'static Resource, ErrorData> {
        self.all_templates().find(|one| self.template_uri(one) == uri).ok_or_else(|| {
            let says = format!(
                "there is no resource template `{}`; resources/templates/list has those on offer",
                clean::line(uri, 200)
            );
            ErrorData::invalid_params(says, None)
        })
    }
}

/// Every list has one page.
fn one_page(page: Option<PaginatedRequestParams>, method: &str) -> Result<(), ErrorData> {
    match page.and_then(|page| page.cursor) {
        Some(_) => Err(ErrorData::invalid_params(format!("{method} has one page: leave `cursor` out"), None)),
        None => Ok(()),
    }
}

/// Is there an argument of this name?
fn known_argument(name: &str, known: impl Iterator<Item = &'static str>) -> Result<(), ErrorData> {
    let known: Vec<&str> = known.collect();
    if known.contains(&name) {
        return Ok(());
    }
    let says = format!("there is no argument `{}`; there are: {}", clean::line(name, 80), known.join(", "));
    Err(ErrorData::invalid_params(says, None))
}

/// A call that brought nothing, as an error of the protocol: resources have no other.
fn unread(failure: &Failure, uri: &str) -> ErrorData {
    let data = Some(json!({ "uri": clean::line(uri, 200) }));
    match failure.kind() {
        FailureKind::NotFound => ErrorData::resource_not_found(failure.to_string(), data),
        FailureKind::BadArguments | FailureKind::Ambiguous => ErrorData::invalid_params(failure.to_string(), data),
        _ => ErrorData::internal_error(failure.to_string(), data),
    }
}
