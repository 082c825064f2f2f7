//! Resources, prompts and completions in the protocol's words.
//!
//! Knows messages and their errors. What is offered, and what a call may do, is decided elsewhere: a resource is a tool's
//! answer and goes the same road.

use super::{LIST_TTL_MS, Server};
use crate::catalogue;
use crate::engine::{Failure, FailureKind, Watch, clean};
use crate::offers::{self, Offer, Prompt, Resource};
use rmcp::model::{
    ArgumentInfo, CacheScope, CompleteRequestParams, CompleteResult, CompletionInfo, GetPromptRequestParams,
    GetPromptResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, PaginatedRequestParams,
    PromptArgument, PromptMessage, ReadResourceResult, Reference, ResourceContents, Role,
};
use rmcp::{ErrorData, model};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// What every resource is.
const MIME: &str = "application/json";

impl Server {
    fn offer(&self) -> Offer<'_> {
        let engine = self.clusters.first();
        Offer { settings: engine.settings(), access: engine.access() }
    }

    pub(super) fn resources(&self, page: Option<PaginatedRequestParams>) -> Result<ListResourcesResult, ErrorData> {
        one_page(page, "resources/list")?;
        let list = self.offer().resources(false).map(|one| {
            model::Resource::new(one.uri, one.name).with_title(one.title).with_description(one.doc).with_mime_type(MIME)
        });
        let list = ListResourcesResult::with_all_items(list.collect());
        Ok(list.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private))
    }

    pub(super) fn templates(
        &self,
        page: Option<PaginatedRequestParams>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        one_page(page, "resources/templates/list")?;
        let list = self.offer().resources(true).map(|one| {
            model::ResourceTemplate::new(one.uri, one.name)
                .with_title(one.title)
                .with_description(one.doc)
                .with_mime_type(MIME)
        });
        let list = ListResourceTemplatesResult::with_all_items(list.collect());
        Ok(list.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private))
    }

    /// Reads a resource: calls its tool, with every gate of a call.
    pub(super) async fn read(&self, uri: String, watch: Watch) -> Result<ReadResourceResult, ErrorData> {
        let (surface, arguments) = self.offer().resource(&uri).map_err(|unusable| {
            let says = format!(
                "{unusable}: {}. resources/list and resources/templates/list say what there is.",
                clean::line(&uri, 200)
            );
            ErrorData::resource_not_found(says, Some(json!({ "uri": clean::line(&uri, 200) })))
        })?;
        let started = Instant::now();
        let engine = self.clusters.first().clone();
        let ended = self.guarded(surface, async move { engine.call(surface, Some(&arguments), watch).await }).await;
        self.log(surface, &ended, started);
        let answer = ended.map_err(|failure| unread(&failure, &uri))?;
        let text = Value::Object(answer.content).to_string();
        let contents = ResourceContents::text(text, uri).with_mime_type(MIME);
        // What it says is of this moment, and of what this token may see.
        Ok(ReadResourceResult::new(vec![contents]).with_ttl_ms(0).with_cache_scope(CacheScope::Private))
    }

    pub(super) fn prompts(&self, page: Option<PaginatedRequestParams>) -> Result<ListPromptsResult, ErrorData> {
        one_page(page, "prompts/list")?;
        let list = self.offer().prompts().map(|one| {
            let arguments = one.args.iter().map(|argument| {
                PromptArgument::new(argument.name).with_description(argument.doc).with_required(argument.required)
            });
            let arguments: Vec<PromptArgument> = arguments.collect();
            let arguments = (!arguments.is_empty()).then_some(arguments);
            model::Prompt::new(one.name, Some(one.doc), arguments).with_title(one.title)
        });
        let list = ListPromptsResult::with_all_items(list.collect());
        Ok(list.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private))
    }

    pub(super) fn prompt(&self, request: &GetPromptRequestParams) -> Result<GetPromptResult, ErrorData> {
        let prompt = self.prompt_named(&request.name)?;
        let written = self
            .offer()
            .write(prompt, request.arguments.as_ref())
            .map_err(|missing| ErrorData::invalid_params(format!("prompt `{}`: {missing}", prompt.name), None))?;
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
        // (argument, kind) of everything that can be given there.
        let kinds: Vec<(&str, &str)> = match &request.r#ref {
            Reference::Prompt(prompt) => {
                let prompt = self.prompt_named(&prompt.name)?;
                if !prompt.args.iter().any(|argument| argument.name == name) {
                    return Err(no_argument(name, prompt.args.iter().map(|argument| argument.name)));
                }
                prompt.args.iter().filter_map(|argument| Some((argument.name, argument.completes?))).collect()
            }
            Reference::Resource(resource) => {
                let resource = self.template_named(&resource.uri)?;
                if !resource.places().any(|place| place == name) {
                    return Err(no_argument(name, resource.places()));
                }
                resource.places().map(|place| (place, place)).collect()
            }
            _ => return Err(ErrorData::invalid_params("there is nothing to complete for such a reference", None)),
        };
        let kind = kinds.iter().find(|(argument, _)| argument == name).map(|(_, kind)| *kind);
        let completion = kind.and_then(|kind| catalogue::COMPLETIONS.iter().find(|one| one.name == kind));
        let context: HashMap<String, String> =
            request.context.and_then(|context| context.arguments).unwrap_or_default();
        let given = |kind: &str| {
            let others = kinds.iter().filter(|(argument, of)| *of == kind && argument != name);
            let mut texts = others.filter_map(|(argument, _)| context.get(*argument)).map(|text| text.trim());
            texts.find(|text| !text.is_empty()).map(str::to_owned)
        };
        let all = match completion {
            Some(completion) => self.clusters.first().names(completion, &given, &cancelled).await,
            None => [].into(),
        };
        let offers::Found { values, total } = offers::found(&all, value);
        let more = total > values.len();
        let info = CompletionInfo::with_pagination(values, u32::try_from(total).ok(), more);
        info.map(CompleteResult::new).map_err(|error| ErrorData::internal_error(error, None))
    }

    fn prompt_named(&self, name: &str) -> Result<&'static Prompt, ErrorData> {
        self.offer().prompts().find(|prompt| prompt.name == name).ok_or_else(|| {
            let advice = match proxmox_spec::nearest(name, self.offer().prompts().map(|prompt| prompt.name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "prompts/list has those on offer".to_owned(),
            };
            ErrorData::invalid_params(format!("there is no prompt `{}`; {advice}", clean::line(name, 80)), None)
        })
    }

    fn template_named(&self, uri: &str) -> Result<&'static Resource, ErrorData> {
        self.offer().resources(true).find(|one| one.uri == uri).ok_or_else(|| {
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

fn no_argument(name: &str, known: impl Iterator<Item = &'static str>) -> ErrorData {
    let known: Vec<&str> = known.collect();
    let says = format!("there is no argument `{}`; there are: {}", clean::line(name, 80), known.join(", "));
    ErrorData::invalid_params(says, None)
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
