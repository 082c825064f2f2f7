//! Which methods fit a request best.
//!
//! BM25 over everything that is written about a method, and how well the request covers its best phrase. The same
//! request always gets the same answer. Knows the index and the facts; must not know tools.

use super::index::{Index, Page};
use super::query::Query;
use super::speech::Intent;
use proxmox_spec::{Method, Verb};

/// What a phrase that says exactly what is asked for adds, beside the words.
const PHRASE: f32 = 1.0;
/// What a method that is seldom wanted is worth.
const SELDOM: f32 = 0.6;
/// What a method for containers is worth when nothing in the request tells: virtual machines are meant more often.
const CONTAINER: f32 = 0.97;
/// What a method is worth that a tool of the catalogue does.
const EVERYDAY: f32 = 1.05;

/// A method and how well it fits.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Row of [`proxmox_spec::methods`].
    pub row: usize,
    pub score: f32,
}

/// The methods that fit, best first; with the same score the more general one first.
pub fn rank(index: &Index, methods: &[Method], query: &Query) -> Vec<Hit> {
    let mut scores = vec![0.0_f32; index.pages.len()];
    for concept in &query.concepts {
        let mut best = vec![0.0_f32; index.pages.len()];
        for way in &concept.ways {
            let Some((first, others)) = way.terms.split_first() else { continue };
            for (page, mut weakest) in index.pages_with(*first) {
                for other in others {
                    weakest = weakest.min(index.strength(*other, page));
                }
                let best = &mut best[usize::from(page)];
                *best = best.max(weakest * way.worth);
            }
        }
        for (score, best) in scores.iter_mut().zip(best) {
            *score += best * concept.weight;
        }
    }
    let total: f32 = query.concepts.iter().map(|concept| concept.weight).sum();
    let mut hits: Vec<Hit> = scores
        .into_iter()
        .enumerate()
        .filter(|(_, score)| *score > 0.0)
        .filter_map(|(row, score)| {
            let (method, page) = (methods.get(row)?, index.pages.get(row)?);
            let phrase = best_phrase(index, page, query, total);
            let score = (score + PHRASE * total * phrase)
                * fits(query.intent, method.verb)
                * if method.seldom { SELDOM } else { 1.0 }
                * if method.path.starts_with("/nodes/{node}/lxc") { CONTAINER } else { 1.0 }
                * if page.has_tool { EVERYDAY } else { 1.0 };
            Some(Hit { row, score })
        })
        .collect();
    let length = |hit: &Hit| methods.get(hit.row).map_or(0, |method| method.segments.len());
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(length(a).cmp(&length(b))).then(b.row.cmp(&a.row)));
    hits
}

/// How well the best phrase fits, 0 to 1: how much of the request it has, and how much of it the request has.
fn best_phrase(index: &Index, page: &Page, query: &Query, total: f32) -> f32 {
    let mut best = 0.0_f32;
    for phrase in index.phrases_of(page) {
        let mut asked = 0.0;
        let mut used: Vec<u16> = Vec::new();
        for concept in &query.concepts {
            let has = |terms: &[usize]| terms.iter().all(|term| phrase.iter().any(|one| usize::from(*one) == *term));
            let way = concept.ways.iter().filter(|way| has(&way.terms)).max_by(|a, b| a.worth.total_cmp(&b.worth));
            if let Some(way) = way {
                asked += concept.weight * way.worth.sqrt();
                used.extend(way.terms.iter().filter_map(|term| u16::try_from(*term).ok()));
            }
        }
        if asked == 0.0 {
            continue;
        }
        let weight =
            |terms: &mut dyn Iterator<Item = &u16>| -> f32 { terms.map(|term| index.weight(usize::from(*term))).sum() };
        let all = weight(&mut phrase.iter());
        let said = weight(&mut phrase.iter().filter(|term| used.contains(term)));
        let (of_request, of_phrase) = (asked / total.max(0.01), said / all.max(0.01));
        best = best.max(of_request * (0.4 + 0.6 * of_phrase));
    }
    best
}

/// How well a verb fits what the request wants to do.
fn fits(intent: Intent, verb: Verb) -> f32 {
    match (intent, verb) {
        (Intent::Unknown, _) => 1.0,
        (Intent::Read, Verb::Get) => 1.2,
        (Intent::Read, _) => 0.8,
        (Intent::Create, Verb::Post) => 1.12,
        (Intent::Create, Verb::Put) => 1.0,
        (Intent::Create, _) => 0.8,
        (Intent::Change, Verb::Put | Verb::Post) => 1.1,
        (Intent::Change, _) => 0.85,
        (Intent::Remove, Verb::Delete) => 1.15,
        (Intent::Remove, Verb::Put | Verb::Post) => 0.95,
        (Intent::Remove, Verb::Get) => 0.8,
    }
}
