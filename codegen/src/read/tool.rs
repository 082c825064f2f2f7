//! A tool, its arguments, cases, guards, names and examples.

use super::{Reader, text};
use crate::spec::*;
use crate::tree::{Key, Node, Yaml};
use proxmox_spec::{Effect, Tier};

impl Reader<'_> {
    pub(super) fn tool(&mut self, key: &Key, node: &Node) -> Option<ToolSpec> {
        let mut object = self.object(node, "a tool")?;
        let title = self.text(object.take("title"));
        let doc = self.text(object.take("doc"));
        let tier = self.tier(object.take("tier"));
        let core = object.take("core");
        let core = self.flag(core).filter(|core| *core).and(core).map(|node| node.at);
        let effect = self.effect(object.take("effect"));
        let because = self.text(object.take("because")).map(|text| text.is);
        let call = match object.take("call") {
            Some(node) if matches!(node.value, Yaml::Map(_)) => {
                let entries = self.entries(Some(node));
                Some(CallSpec::PerKind(
                    entries.into_iter().filter_map(|(kind, node)| Some((text(kind), self.call(Some(node))?))).collect(),
                ))
            }
            other => self.call(other).map(CallSpec::One),
        };
        let handler = self.text(object.take("handler"));
        let schema = object.take("schema").cloned();
        let most = self.effect(object.take("most"));
        let mut cases = Vec::new();
        for node in self.items(object.take("cases")) {
            cases.extend(self.case(node));
        }
        let unsupported = self.texts(object.take("unsupported"));
        let mut args = Vec::new();
        for (key, node) in self.entries(object.take("args")) {
            args.extend(self.argument(key, node));
        }
        let fixed = self.fixed(object.take("fixed"));
        let derive = self.nodes(object.take("derive"));
        let mut also = Vec::new();
        for (key, node) in self.entries(object.take("also")) {
            also.extend(self.also(key, node));
        }
        let wait = self.text(object.take("wait"));
        let mut answers = Vec::new();
        for (key, node) in self.entries(object.take("answers")) {
            answers.extend(self.told(key, node));
        }
        let returns = self.returns(object.take("returns"));
        let guard = object.take("guard").and_then(|node| self.guard(node));
        let hints = self.hints(object.take("hints"));
        let mut names = Vec::new();
        for (dialect, node) in self.entries(object.take("names")) {
            names.push((text(dialect), self.names(node)));
        }
        let mut examples = Vec::new();
        let written = object.take("examples");
        for node in self.items(written) {
            examples.extend(self.example(node));
        }
        if let Some(Node { value: Yaml::List(items), at, .. }) = written
            && items.is_empty()
        {
            self.diagnostics
                .report(*at, "a tool needs at least one example")
                .help("such as `{args: {…}, sends: GET /version}`");
        }
        let written_effect = object.has("effect") || object.resembles("effect");
        self.need(&object, key.at, "title", "title: Start a guest");
        self.need(&object, key.at, "doc", "doc: Start a stopped guest.");
        self.need(&object, key.at, "tier", "tier: read");
        self.need(&object, key.at, "examples", "examples: [{args: {…}, sends: GET /version}]");
        if !object.has("cases") && !object.has("handler") {
            self.need(&object, key.at, "call", "call: GET /version");
        }
        self.close(object);
        Some(ToolSpec {
            name: text(key),
            title,
            doc,
            tier,
            core,
            effect_unknown: effect.is_none() && written_effect,
            effect,
            because,
            call,
            handler,
            schema,
            most,
            cases,
            unsupported,
            args,
            fixed,
            derive,
            also,
            wait,
            answers,
            returns,
            guard,
            hints,
            names,
            examples,
        })
    }

    fn tier(&mut self, node: Option<&Node>) -> Option<At<Tier>> {
        let all = Tier::ALL.map(|tier| (tier.as_str(), tier));
        self.word(node, "a tier", &all)
    }

    fn effect(&mut self, node: Option<&Node>) -> Option<At<Effect>> {
        let all = Effect::ALL.map(|effect| (effect.as_str(), effect));
        self.word(node, "an effect", &all)
    }

    fn case(&mut self, node: &Node) -> Option<CaseSpec> {
        let mut object = self.object(node, "a case")?;
        let when = self.pair(object.take("when")).and_then(|(subject, node)| Some((subject, self.text(Some(&node))?)));
        let call = self.call(object.take("call"));
        let ask = object.take("ask").and_then(|node| {
            let mut ask = self.object(node, "`ask`")?;
            let (call, row) = (self.call(ask.take("call")), self.pair(ask.take("row")));
            let (field, or) = (self.text(ask.take("field")), self.text(ask.take("or")));
            self.need(&ask, node.at, "call", "call: GET /nodes/{node}/storage/{volid.storage}/content");
            self.need(&ask, node.at, "row", "row: {volid: \"{volid}\"}");
            self.need(&ask, node.at, "field", "field: subtype");
            self.need(&ask, node.at, "or", "or: kind");
            self.close(ask);
            Some(AskSpec { at: node.at, call, row, field, or })
        });
        let fixed = self.fixed(object.take("fixed"));
        let returns = self.returns(object.take("returns"));
        self.need(&object, node.at, "when", "when: {node: given}");
        if !object.has("ask") {
            self.need(&object, node.at, "call", "call: GET /version");
        }
        self.close(object);
        Some(CaseSpec { at: node.at, when, call, ask, fixed, returns })
    }

    pub(super) fn fixed(&mut self, node: Option<&Node>) -> FixedSpec {
        let mut fixed = FixedSpec::default();
        for (key, node) in self.entries(node) {
            match node.value {
                Yaml::Map(_) => {
                    let constants = self.texts(Some(node));
                    fixed.per_kind.push((text(key), constants));
                }
                _ => fixed.all.extend(self.text(Some(node)).map(|constant| (text(key), constant))),
            }
        }
        fixed
    }

    fn argument(&mut self, key: &Key, node: &Node) -> Option<ArgSpec> {
        let mut argument = ArgSpec {
            name: text(key),
            doc: None,
            rename: None,
            ty: None,
            parse: None,
            within: None,
            default: None,
            default_from: None,
            required: None,
            only: None,
            values: None,
            refused: Vec::new(),
            pattern: None,
            minimum: None,
            maximum: None,
            max_length: None,
            raises: None,
            needs: None,
            note: None,
            escape: None,
            secret: false,
            except: Vec::new(),
        };
        if !matches!(node.value, Yaml::Map(_)) {
            if node.value != Yaml::Null {
                argument.doc = Some(self.text(Some(node))?);
            }
            return Some(argument);
        }
        let mut object = self.object(node, "an argument")?;
        argument.doc = self.text(object.take("doc"));
        argument.rename = match object.take("as") {
            Some(node) if matches!(node.value, Yaml::Map(_)) => Some(PerKind::Each(self.texts(Some(node)))),
            other => self.text(other).map(PerKind::One),
        };
        argument.ty = self.text(object.take("type"));
        argument.parse = self.text(object.take("parse"));
        argument.within = self.text(object.take("in"));
        argument.default = object.take("default").cloned();
        argument.default_from = object.take("default_from").cloned();
        argument.required = self.flag(object.take("required"));
        argument.only = self.text(object.take("only"));
        argument.values = object.take("values").map(|node| self.text_list(Some(node)));
        argument.refused = self.texts(object.take("refused"));
        argument.pattern = self.text(object.take("pattern"));
        argument.minimum = self.number(object.take("minimum"));
        argument.maximum = self.number(object.take("maximum"));
        argument.max_length = self.number(object.take("max_length"));
        argument.raises = object.take("raises").and_then(|node| {
            let mut raises = self.object(node, "`raises`")?;
            let (tier, effect) = (self.tier(raises.take("tier")), self.effect(raises.take("effect")));
            let because = self.words(raises.take("because"));
            if !raises.has("tier") && !raises.has("effect") {
                self.need(&raises, node.at, "tier", "tier: admin");
            }
            self.need(&raises, node.at, "because", "because: It replaces an existing file.");
            self.close(raises);
            Some(RaiseSpec { tier, effect, because })
        });
        argument.needs = self.text(object.take("needs"));
        argument.note = self.text(object.take("note")).map(|text| text.is);
        argument.escape = self.text(object.take("escape"));
        argument.secret = self.flag(object.take("secret")).unwrap_or(false);
        argument.except = self.texts(object.take("except"));
        if object.has("note") {
            self.need(&object, key.at, "needs", "needs: storage");
        }
        self.close(object);
        Some(argument)
    }

    fn also(&mut self, key: &Key, node: &Node) -> Option<AlsoSpec> {
        let mut object = self.object(node, "a further read")?;
        let also = AlsoSpec {
            field: text(key),
            call: self.call(object.take("call")),
            fixed: self.fixed(object.take("fixed")),
            returns: self.returns(object.take("returns")),
            when: self.text(object.take("when")),
            tail: self.text(object.take("tail")),
            optional: self.flag(object.take("optional")).unwrap_or(false),
        };
        self.need(&object, key.at, "call", "call: GET /version");
        self.close(object);
        Some(also)
    }

    fn told(&mut self, key: &Key, node: &Node) -> Option<ToldSpec> {
        let mut object = self.object(node, "what a log tells")?;
        let doc = self.text(object.take("doc"));
        let mut from = Vec::new();
        for node in self.items(object.take("from")) {
            let Some(mut line) = self.object(node, "a line of a log") else { continue };
            let (log, is) = (self.text(line.take("log")), self.text(line.take("is")));
            self.need(&line, node.at, "log", "log: \"target file: */{}\"");
            self.need(&line, node.at, "is", "is: \"{storage}:iso/{}\"");
            self.close(line);
            from.extend(log.zip(is));
        }
        self.need(&object, key.at, "doc", "doc: Volume id of the new file.");
        self.need(&object, key.at, "from", "from: [{log: \"target file: */{}\", is: \"{storage}:iso/{}\"}]");
        self.close(object);
        Some(ToldSpec { field: text(key), doc, from })
    }

    fn guard(&mut self, node: &Node) -> Option<GuardSpec> {
        let mut object = self.object(node, "`guard`")?;
        let digest = self.call(object.take("digest"));
        let show = self.text(object.take("show"));
        let expect = self.text(object.take("expect"));
        let absent = object.take("absent").and_then(|node| {
            let mut absent = self.object(node, "`absent`")?;
            let (call, row) = (self.call(absent.take("call")), self.pair(absent.take("row")));
            let (unless, say) = (self.text(absent.take("unless")), self.words(absent.take("say")));
            self.need(&absent, node.at, "call", "call: GET /nodes/{node}/storage/{storage}/content");
            self.need(&absent, node.at, "row", "row: {volid: \"{storage}:iso/{filename}\"}");
            self.need(&absent, node.at, "say", "say: A file of this name exists.");
            self.close(absent);
            Some(AbsentSpec { at: node.at, call, row, unless, say })
        });
        let vacant = object.take("vacant").and_then(|node| {
            let mut vacant = self.object(node, "`vacant`")?;
            let (id, replace) = (self.text(vacant.take("id")), self.text(vacant.take("replace")));
            self.need(&vacant, node.at, "id", "id: vmid");
            self.close(vacant);
            Some(VacantSpec { id, replace })
        });
        let shows = object.has("show") || object.has("expect");
        if shows || !(object.has("absent") || object.has("vacant")) {
            self.need(&object, node.at, "digest", "digest: GET {guest}/config");
        }
        self.close(object);
        Some(GuardSpec { digest, show, expect, absent, vacant })
    }

    fn names(&mut self, node: &Node) -> Vec<NameSpec> {
        let plain = |name: Text| NameSpec {
            name,
            title: None,
            doc: None,
            preset: Vec::new(),
            rename: Vec::new(),
            values: Vec::new(),
            defaults: Vec::new(),
            required: Vec::new(),
            ignores: Vec::new(),
        };
        if !matches!(node.value, Yaml::Map(_)) {
            return self.text(Some(node)).map(plain).into_iter().collect();
        }
        let mut names = Vec::new();
        for (key, node) in self.entries(Some(node)) {
            let mut name = plain(text(key));
            if node.value != Yaml::Null {
                let Some(mut object) = self.object(node, "a name's entry") else { continue };
                name.title = self.text(object.take("title")).map(|text| text.is);
                name.doc = self.text(object.take("doc")).map(|text| text.is);
                name.preset = self.nodes(object.take("preset"));
                name.rename = self.texts(object.take("rename"));
                for (argument, node) in self.entries(object.take("values")) {
                    name.values.push((text(argument), self.nodes(Some(node))));
                }
                name.defaults = self.nodes(object.take("defaults"));
                for (argument, node) in self.entries(object.take("required")) {
                    name.required.extend(self.flag(Some(node)).map(|is| (text(argument), At { at: node.at, is })));
                }
                name.ignores = self.texts(object.take("ignores"));
                self.close(object);
            }
            names.push(name);
        }
        names
    }

    fn example(&mut self, node: &Node) -> Option<ExampleSpec> {
        let mut object = self.object(node, "an example")?;
        let args = self.nodes(object.take("args"));
        let given = self.nodes(object.take("given"));
        let mut sends = Vec::new();
        for line in self.items(object.take("sends")) {
            sends.extend(self.text(Some(line)).map(|_| line.clone()));
        }
        let mut before = Vec::new();
        for item in self.items(object.take("before")) {
            if let Some((tool, node)) = self.pair(Some(item)) {
                before.push((tool, self.nodes(Some(&node))));
            }
        }
        self.need(&object, node.at, "sends", "sends: GET /version");
        self.close(object);
        Some(ExampleSpec { at: node.at, args, given, sends, before })
    }
}
