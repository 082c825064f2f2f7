//! What a tool answers, checked against what the API answers.

use super::Checker;
use super::routes::Draft;
use crate::catalogue::*;
use crate::diagnostic::Span;
use crate::spec::{FieldSpec, ReturnsSpec, Text};
use proxmox_spec::{Method, Shape, Type, Upid};

impl Checker<'_> {
    /// The answer of a route. `shapes` are those of all routes: a field that one kind has may be named for both.
    pub(super) fn returns(
        &mut self,
        draft: &Draft<'_>,
        shapes: &[&'static Shape],
        waits: bool,
        arguments: &[Argument],
    ) -> Returns {
        let method = draft.method;
        let starts = matches!(method.upid, Upid::Always | Upid::Optional | Upid::Field);
        if let Some(written) = draft.returns
            && (starts || method.returns.ty == Type::Null)
        {
            let what = if starts { "a task" } else { "nothing" };
            self.diagnostics
                .report(
                    written.at,
                    format!("{} {} answers with {what}, so `returns` has nothing to say", method.verb, method.path),
                )
                .help("delete it");
        }
        let mut returns = if starts || (waits && method.returns.ty == Type::Object && draft.returns.is_none()) {
            blank(Answer::Task, method.returns)
        } else if method.returns.ty == Type::Null {
            blank(Answer::Done, method.returns)
        } else {
            self.answer(draft.returns, draft.at, method, shapes)
        };
        for (argument, filter) in draft.returns.iter().flat_map(|spec| &spec.filter) {
            self.known_argument(argument, arguments);
            self.known_row(shapes, &filter.field);
            let by = match filter.by.as_ref().map(|by| (by, by.is.as_str())) {
                None => Match::Equals,
                Some((_, "pattern")) => Match::Pattern,
                Some((_, "word")) => Match::Word,
                Some((by, word)) => {
                    self.diagnostics
                        .report(by.at, format!("`{word}` is not a way to match"))
                        .near(word, ["pattern", "word"]);
                    Match::Equals
                }
            };
            returns.filters.push(Filter { argument: argument.is.clone(), field: filter.field.is.clone(), by });
        }
        if let Some(written) = draft.returns {
            returns.last = self.last(written, method, arguments);
        }
        returns
    }

    /// The answer of a further read.
    pub(super) fn read_returns(&mut self, spec: Option<&ReturnsSpec>, at: Span, method: &'static Method) -> Returns {
        self.answer(spec, at, method, &[method.returns])
    }

    fn answer(
        &mut self,
        spec: Option<&ReturnsSpec>,
        at: Span,
        method: &'static Method,
        shapes: &[&'static Shape],
    ) -> Returns {
        let none = ReturnsSpec::default();
        let written = spec.unwrap_or(&none);
        let array = method.returns.ty == Type::Array;
        let rows: Vec<&'static Shape> = shapes.iter().map(|shape| shape.items.unwrap_or(shape)).collect();
        self.one_form(written);
        let mut returns = blank(Answer::Object, method.returns);
        returns.fields = self.fields(&written.fields, &rows);
        returns.page = written.page.as_ref().map(|page| page.is as u32);
        returns.api_pages = written.api_pages.is_some();
        returns.columns = self.columns(written, &returns.fields);
        for (to, list) in [(&mut returns.only, &written.only), (&mut returns.drop, &written.drop)] {
            for (field, values) in list {
                self.known_row(shapes, field);
                for value in values {
                    self.known_value(rows.iter().find_map(|row| row.field(&field.is)), &field.is, value);
                }
                to.push((field.is.clone(), values.iter().map(|value| value.is.clone()).collect()));
            }
        }
        if let Some(sort) = &written.sort {
            let name = sort.is.trim_start_matches('-').to_owned();
            self.known_row(shapes, &Text { at: sort.at, is: name });
            returns.sort = Some(sort.is.clone());
        }
        for (to, part) in &written.split {
            let Some((field, value)) = &part.of else { continue };
            self.known_row(shapes, field);
            self.known_value(rows.iter().find_map(|row| row.field(&field.is)), &field.is, value);
            let take = match &part.first {
                Some(first) => {
                    self.known_row(shapes, first);
                    let shape = rows.first().and_then(|row| row.field(&first.is));
                    let field = Field { from: first.is.clone(), to: to.is.clone(), shape };
                    Take::First(field, part.otherwise.clone())
                }
                None => Take::Rows(self.fields(&part.fields, &rows)),
            };
            let of = (field.is.clone(), value.is.clone());
            returns.parts.push(Part { to: to.is.clone(), of, take });
        }
        returns.answer = if !returns.parts.is_empty() {
            Answer::Split
        } else if let Some(key) = &written.list {
            self.expect_array(key, array, method);
            Answer::List(key.is.clone())
        } else if let Some(key) = &written.values {
            self.expect_array(key, array, method);
            match &written.of {
                Some(of) => {
                    self.known_row(shapes, of);
                    let shape = rows.first().and_then(|row| row.field(&of.is));
                    returns.fields = vec![Field { from: of.is.clone(), to: of.is.clone(), shape }];
                }
                None => {
                    self.diagnostics.report(key.at, "`values` needs `of`, the field whose values are listed");
                }
            }
            Answer::Values(key.is.clone())
        } else if let Some(key) = &written.value {
            Answer::Value(key.is.clone())
        } else if array {
            self.diagnostics
                .report(
                    at,
                    format!("{} {} answers with a list, and `returns` does not name it", method.verb, method.path),
                )
                .help("write `returns: {list: rows}`");
            Answer::Object
        } else if !matches!(method.returns.ty, Type::Object | Type::Any | Type::Null) {
            self.diagnostics
                .report(
                    at,
                    format!("{} {} answers with one value, and `returns` does not name it", method.verb, method.path),
                )
                .help("write `returns: {value: name}`");
            Answer::Object
        } else {
            Answer::Object
        };
        returns
    }

    /// An answer has one form, and what only rows have needs rows.
    fn one_form(&mut self, written: &ReturnsSpec) {
        let page = written.page.as_ref().map(|page| page.at).or(written.api_pages);
        if let (Some(page), [], Some(_)) = (page, written.fields.as_slice(), &written.list) {
            self.diagnostics
                .report(page, "a list with pages names its fields: callers choose among them")
                .help("write `fields: [name, …]`");
        }
        let split = written.split.first().map(|(to, _)| to.at);
        let forms = [("list", &written.list), ("values", &written.values), ("value", &written.value)];
        let named: Vec<(&str, Span)> = split
            .map(|at| ("split", at))
            .into_iter()
            .chain(forms.into_iter().filter_map(|(name, form)| Some((name, form.as_ref()?.at))))
            .collect();
        if let [(first, _), (second, at), ..] = named.as_slice() {
            self.diagnostics
                .report(*at, format!("an answer is either `{first}` or `{second}`"))
                .help("delete one of the two");
        }
        if let (Some(of), None) = (&written.of, &written.values) {
            self.diagnostics.report(of.at, "`of` belongs to `values`").help("such as `values: lines`");
        }
        let rows = written.list.is_some() || written.values.is_some();
        let paging = [page, written.sort.as_ref().map(|sort| sort.at)];
        for at in paging.into_iter().flatten().filter(|_| !rows) {
            self.diagnostics.report(at, "only a list has pages and an order").help("write `list: rows` as well");
        }
    }

    /// Rows from the end: how many an argument says, and from where on is the API's `start`.
    fn last(&mut self, written: &ReturnsSpec, method: &Method, arguments: &[Argument]) -> Option<(String, String)> {
        let last = written.last.as_ref()?;
        self.known_argument(last, arguments);
        let sent = |param: &str| {
            let is = |argument: &&Argument| {
                argument.facts.iter().any(|(one, fact)| one.path == method.path && fact.name == param)
            };
            arguments.iter().find(is)
        };
        match (sent("limit"), sent("start")) {
            (Some(limit), Some(start))
                if limit.name == last.is && limit.default.is_some() && written.values.is_some() =>
            {
                Some((limit.name.clone(), start.name.clone()))
            }
            _ => {
                self.diagnostics
                    .report(
                        last.at,
                        "the end of a list needs `values`, and arguments for the API's `limit` and `start`",
                    )
                    .help(
                        "such as `limit: {doc: Most lines., default: 50}` and `start: First line.`, with `last: limit`",
                    );
                None
            }
        }
    }

    /// The columns of a table are among the shown fields, and only what comes in pages comes as a table.
    fn columns(&mut self, written: &ReturnsSpec, fields: &[Field]) -> Vec<String> {
        let pages = written.page.is_some() || written.api_pages.is_some();
        if let Some(first) = written.columns.first().filter(|_| !pages) {
            self.diagnostics
                .report(first.at, "only a list with pages can be asked for as a table")
                .help("write `list` and `page` as well");
        }
        let mut columns: Vec<String> = Vec::new();
        for column in &written.columns {
            if columns.contains(&column.is) {
                self.diagnostics.report(column.at, format!("the column `{}` stands there twice", column.is));
            } else if fields.iter().any(|field| field.to == column.is) {
                columns.push(column.is.clone());
            } else {
                self.diagnostics
                    .report(column.at, format!("`{}` is not one of the shown fields", column.is))
                    .near(&column.is, fields.iter().map(|field| field.to.as_str()));
            }
        }
        columns
    }

    fn expect_array(&mut self, key: &Text, array: bool, method: &Method) {
        if !array {
            self.diagnostics.report(key.at, format!("{} {} does not answer with a list", method.verb, method.path));
        }
    }

    /// Shown fields. A field must exist in at least one of the shapes.
    pub(super) fn fields(&mut self, written: &[FieldSpec], shapes: &[&'static Shape]) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        for field in written {
            if let Some(first) = fields.iter().find(|one| one.to == field.to) {
                let name = first.to.clone();
                self.diagnostics.report(field.at, format!("the field `{name}` is shown twice"));
                continue;
            }
            let shape = self.field(shapes, &field.from, field.from_at);
            fields.push(Field { from: field.from.clone(), to: field.to.clone(), shape });
        }
        fields
    }

    /// A value of a field whose values the facts list.
    pub(super) fn known_value(&mut self, shape: Option<&'static Shape>, field: &str, value: &Text) {
        let Some(shape) = shape else { return };
        if shape.ty == Type::Boolean && !matches!(value.is.as_str(), "0" | "1" | "true" | "false") {
            self.diagnostics
                .report(value.at, format!("`{field}` is true or false, never `{}`", value.is))
                .near(&value.is, ["true", "false"]);
        }
        if shape.values.is_empty() {
            return;
        }
        if !shape.values.contains(&value.is.as_str()) {
            self.diagnostics
                .report(value.at, format!("the API's `{field}` is never `{}`", value.is))
                .near(&value.is, shape.values.iter().copied());
        }
    }

    pub(super) fn known_field(&mut self, shape: &'static Shape, field: &Text) {
        self.field(&[shape], &field.is, field.at);
    }

    fn known_row(&mut self, shapes: &[&'static Shape], field: &Text) {
        let rows: Vec<&'static Shape> = shapes.iter().map(|shape| shape.items.unwrap_or(shape)).collect();
        self.field(&rows, &field.is, field.at);
    }

    pub(super) fn known_row_field(&mut self, method: &'static Method, field: &Text) {
        self.known_row(&[method.returns], field);
    }

    /// A field of the answer by its dotted name.
    fn field(&mut self, shapes: &[&'static Shape], dotted: &str, at: Span) -> Option<&'static Shape> {
        for shape in shapes {
            let mut found = Some(*shape);
            for name in dotted.split('.') {
                found = found.and_then(|shape| shape.field(name));
            }
            if found.is_some() {
                return found;
            }
        }
        // The facts know nothing of some answers; there every field may exist.
        if shapes.iter().any(|shape| shape.fields.is_empty()) {
            return None;
        }
        let known = shapes.iter().flat_map(|shape| shape.fields);
        let names: Vec<String> = match dotted.split_once('.') {
            None => known.map(|(name, _)| (*name).to_owned()).collect(),
            Some(_) => known
                .flat_map(|(name, shape)| shape.fields.iter().map(move |(inner, _)| format!("{name}.{inner}")))
                .collect(),
        };
        self.diagnostics
            .report(at, format!("the API's answer has no field `{dotted}`"))
            .near(dotted, names.iter().map(String::as_str));
        None
    }
}

fn blank(answer: Answer, shape: &'static Shape) -> Returns {
    Returns {
        answer,
        fields: Vec::new(),
        filters: Vec::new(),
        only: Vec::new(),
        drop: Vec::new(),
        sort: None,
        page: None,
        api_pages: false,
        last: None,
        columns: Vec::new(),
        parts: Vec::new(),
        echo: Vec::new(),
        shape,
    }
}
