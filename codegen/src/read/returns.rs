//! The `returns` object and its parts.

use super::{Reader, text};
use crate::diagnostic::Span;
use crate::spec::*;
use crate::tree::{Node, Yaml};

impl Reader<'_> {
    pub(super) fn returns(&mut self, node: Option<&Node>) -> Option<ReturnsSpec> {
        let node = node?;
        let mut object = self.object(node, "`returns`")?;
        let mut split = Vec::new();
        for (key, node) in self.entries(object.take("split")) {
            split.extend(self.part(node).map(|part| (text(key), part)));
        }
        let mut filter = Vec::new();
        for (key, node) in self.entries(object.take("filter")) {
            filter.extend(self.filter(node).map(|one| (text(key), one)));
        }
        let page = object.take("page");
        let api_pages = page.filter(|node| node.scalar().as_deref() == Some("api")).map(|node| node.at);
        let returns = ReturnsSpec {
            at: node.at,
            list: self.text(object.take("list")),
            values: self.text(object.take("values")),
            of: self.text(object.take("of")),
            value: self.text(object.take("value")),
            split,
            fields: self.fields(object.take("fields")),
            page: self.number(page.filter(|_| api_pages.is_none())),
            api_pages,
            last: self.text(object.take("last")),
            columns: self.text_list(object.take("columns")),
            sort: self.text(object.take("sort")),
            only: self.rows(object.take("only")),
            drop: self.rows(object.take("drop")),
            filter,
        };
        self.close(object);
        Some(returns)
    }

    fn rows(&mut self, node: Option<&Node>) -> Vec<(Text, Vec<Text>)> {
        let entries = self.entries(node);
        entries.into_iter().map(|(key, node)| (text(key), self.text_list(Some(node)))).collect()
    }

    fn filter(&mut self, node: &Node) -> Option<FilterSpec> {
        if let Yaml::Map(_) = node.value {
            let mut object = self.object(node, "a filter")?;
            let field = self.text(object.take("field"));
            let by = self.text(object.take("match"));
            self.need(&object, node.at, "field", "field: name");
            self.close(object);
            return Some(FilterSpec { field: field?, by });
        }
        Some(FilterSpec { field: self.text(Some(node))?, by: None })
    }

    fn part(&mut self, node: &Node) -> Option<PartSpec> {
        let mut object = self.object(node, "a part of a list")?;
        let of = self.pair(object.take("of")).and_then(|(field, node)| Some((field, self.text(Some(&node))?)));
        let fields = self.fields(object.take("fields"));
        let first = self.text(object.take("first"));
        let otherwise = object.take("else").map_or(serde_json::Value::Null, Node::json);
        self.need(&object, node.at, "of", "of: {type: node}");
        self.close(object);
        Some(PartSpec { of, fields, first, otherwise })
    }

    /// `[name, new = old]`.
    pub(super) fn fields(&mut self, node: Option<&Node>) -> Vec<FieldSpec> {
        let mut fields = Vec::new();
        for item in self.items(node) {
            let Some(whole) = self.text(Some(item)) else { continue };
            let (to, from, offset) = match whole.is.split_once('=') {
                Some((to, from)) => {
                    let skipped = to.chars().count() + 1 + (from.chars().count() - from.trim_start().chars().count());
                    (to.trim().to_owned(), from.trim().to_owned(), skipped)
                }
                None => (whole.is.clone(), whole.is.clone(), 0),
            };
            let from_at: Span = item.part(offset, from.chars().count());
            fields.push(FieldSpec { at: whole.at, to, from, from_at });
        }
        fields
    }
}
