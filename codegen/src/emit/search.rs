//! The index of everything that is written about the methods of the API.
//!
//! Knows where texts about a method stand (title, phrases, path, parameters, tools) and how much each place counts; must
//! not know how the index is asked. Words are taken apart by `proxmox_spec::words`, as they are when it is asked.

use crate::catalogue::Catalogue;
use proxmox_spec::words;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Everything that is written about one method.
#[derive(Debug, Default)]
pub struct Texts {
    pub title: String,
    /// Joined by `;`.
    pub phrases: String,
    /// Of its part of the API.
    pub about: String,
    /// The template.
    pub path: String,
    pub params: Vec<String>,
    /// Titles and docs of the tools that do it.
    pub tools: Vec<String>,
}

/// The index of a catalogue as a Rust file: a static `INDEX`.
pub fn emit(catalogue: &Catalogue) -> String {
    let methods = proxmox_spec::methods();
    let texts: Vec<Texts> = methods
        .iter()
        .zip(words::texts())
        .map(|(method, texts)| {
            let does = |tool: &&crate::catalogue::Tool| {
                tool.routes.iter().any(|route| std::ptr::eq(route.request.method, method))
            };
            let params = method.params.iter().filter(|param| !param.in_path).map(|param| param.name.to_owned());
            Texts {
                title: method.title.to_owned(),
                phrases: texts.phrases.to_owned(),
                about: texts.about.to_owned(),
                path: method.path.to_owned(),
                params: params.collect(),
                tools: catalogue.tools().filter(does).map(|tool| format!("{} {}", tool.title, tool.doc)).collect(),
            }
        })
        .collect();
    written(&index(&texts), &texts)
}

fn written(index: &Index, texts: &[Texts]) -> String {
    let (mut terms, mut pages) = (String::new(), String::new());
    let (mut stems, mut pages_of, mut phrases) = (String::new(), Vec::<(u16, u16)>::new(), Vec::<u16>::new());
    for (stem, (rarity, listed)) in &index.terms {
        let from = (stems.len(), pages_of.len());
        stems.push_str(stem);
        pages_of.extend(listed);
        let (stem, pages) = ((from.0, stems.len()), (from.1, pages_of.len()));
        let _ = writeln!(terms, "        Term {{ stem: {stem:?}, rarity: {rarity}, pages: {pages:?} }},");
    }
    for (said, text) in index.phrases.iter().zip(texts) {
        let from = phrases.len();
        phrases.extend(said);
        let (said, has_tool) = ((from, phrases.len()), !text.tools.is_empty());
        let _ = writeln!(pages, "        Page {{ phrases: {said:?}, has_tool: {has_tool} }},");
    }
    format!(
        "// Generated from spec/words and tools.yaml. Do not edit.\n\npub static INDEX: Index = Index {{\n    stems: \
         {stems:?},\n    pages_of: &{pages_of:?},\n    phrases: &{phrases:?},\n    terms: &[\n{terms}    ],\n    pages: \
         &[\n{pages}    ],\n}};\n"
    )
}

/// The index, ready to be written.
#[derive(Debug, Default)]
pub struct Index {
    /// Stem → (rarity in hundredths, (row of the method, strength in thousandths)).
    pub terms: BTreeMap<String, (u16, Vec<(u16, u16)>)>,
    /// Per method: its phrases as rows of `terms`, each ended by `u16::MAX`.
    pub phrases: Vec<Vec<u16>>,
}

/// How much a place counts.
const TITLE: f32 = 2.0;
const PHRASES: f32 = 1.6;
const PATH: f32 = 1.2;
const TOOLS: f32 = 0.6;
const ABOUT: f32 = 0.6;
const PARAMS: f32 = 0.3;
/// How soon saying it again counts no more (k1), and how much a long text counts less (b).
const AGAIN: f32 = 1.2;
const LONG: f32 = 0.3;

/// Makes the index of these texts, which are in the order of the methods.
pub fn index(texts: &[Texts]) -> Index {
    let mut counted: Vec<BTreeMap<String, f32>> = Vec::new();
    for text in texts {
        let mut count: BTreeMap<String, f32> = BTreeMap::new();
        let mut add = |text: &str, weight: f32, most: f32| {
            let mut here: BTreeMap<String, f32> = BTreeMap::new();
            for stem in words::stems(text) {
                *here.entry(stem).or_default() += weight;
            }
            for (stem, weight) in here {
                *count.entry(stem).or_default() += weight.min(most);
            }
        };
        add(&text.title, TITLE, TITLE);
        add(&text.phrases, PHRASES, PHRASES * 3.0);
        // Placeholders name what there is, not what is done.
        let fixed: Vec<&str> = text.path.split('/').filter(|part| !part.starts_with('{')).collect();
        add(&fixed.join(" "), PATH, PATH);
        add(&text.about, ABOUT, ABOUT);
        add(&text.params.join(" "), PARAMS, PARAMS);
        for tool in &text.tools {
            add(tool, TOOLS, TOOLS);
        }
        counted.push(count);
    }
    let lengths: Vec<f32> = counted.iter().map(|count| count.values().sum()).collect();
    let average = lengths.iter().sum::<f32>() / (lengths.len().max(1) as f32);
    let mut terms: BTreeMap<String, (u16, Vec<(u16, u16)>)> = BTreeMap::new();
    for (row, (count, length)) in counted.iter().zip(&lengths).enumerate() {
        for (stem, weight) in count {
            let strength = weight / (weight + AGAIN * (1.0 - LONG + LONG * length / average));
            terms.entry(stem.clone()).or_default().1.push((row as u16, (strength * 1000.0) as u16));
        }
    }
    let all = texts.len() as f32;
    for (rarity, pages) in terms.values_mut() {
        let with = pages.len() as f32;
        *rarity = (((all - with + 0.5) / (with + 0.5) + 1.0).ln() * 100.0) as u16;
    }
    let rows: BTreeMap<&str, u16> = terms.keys().enumerate().map(|(row, stem)| (stem.as_str(), row as u16)).collect();
    let phrases = texts.iter().map(|text| {
        let each = std::iter::once(&*text.title).chain(text.phrases.split(';'));
        each.flat_map(|phrase| {
            words::stems(phrase)
                .iter()
                .filter_map(|stem| rows.get(stem.as_str()).copied())
                .chain([u16::MAX])
                .collect::<Vec<_>>()
        })
        .collect()
    });
    let phrases = phrases.collect();
    Index { phrases, terms }
}
